/**
 * tfjs-node 4.22, the last release, calls two functions of node:util that Node has taken away (isNullOrUndefined, gone
 * in Node 23) or is about to (isArray). It reads them from the module at every call, so they can be put back before.
 */
import util from "node:util";

const wanted: Readonly<Record<string, (value: unknown) => boolean>> = {
  isNullOrUndefined: (value) => value === null || value === undefined,
  isArray: Array.isArray,
};

/** Call it before @tensorflow/tfjs-node or tfjs-node-gpu is loaded. Also silences Node's warning about isArray. */
export function supplyRemovedUtil(): void {
  for (const [name, value] of Object.entries(wanted)) {
    Object.defineProperty(util, name, { value, configurable: true, writable: true });
  }
}
