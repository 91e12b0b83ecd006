/**
 * The thread that answers when a plugin asks what another process has said. The plugin wants its answer before the call comes
 * back, so this thread waits; the one that trains must not, since it also passes on what this process says.
 */
import { type MessagePort, parentPort, receiveMessageOnPort } from "node:worker_threads";
import { loadKoffi } from "../../koffi";
import { KEY_VALUE } from "../pjrt/layout";
import { type Call, callbacksOf, ERRORS } from "./values";

export interface ThreadData {
  readonly role: "xla values";
  /** Brings an Entry for each value. */
  readonly port: MessagePort;
  /** Counts them; changes after one was sent. */
  readonly count: Int32Array;
}

export interface Entry {
  readonly key: string;
  readonly value: Uint8Array;
}

/** A look at what came is never further away than this, whatever becomes of the count. */
const LOOK_MS = 1000;

function isThreadData(data: unknown): data is ThreadData {
  return typeof data === "object" && data !== null && "role" in data && data.role === "xla values";
}

/** Sends the address of its callback, and stays. */
export function runThread(data: unknown): void {
  if (!isThreadData(data) || parentPort === null) throw new Error("internal: a thread without work");
  const { port, count } = data;
  const known = new Map<string, Uint8Array>();
  const receive = (): void => {
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
      const { key, value }: Entry = next.message;
      known.set(key, value);
    }
  };
  const answer = (call: Call): bigint | null => {
    const timeoutMs = Number(BigInt.asIntN(32, call.word(KEY_VALUE.get.timeoutMs)));
    const endMs = performance.now() + timeoutMs;
    for (;;) {
      const seen = Atomics.load(count, 0);
      receive();
      const value = known.get(call.key);
      if (value !== undefined) return call.give(value);
      const leftMs = endMs - performance.now();
      if (leftMs <= 0) {
        return call.failed(ERRORS.deadlineExceeded, `no process has said ${call.key} within ${timeoutMs} ms`);
      }
      Atomics.wait(count, 0, seen, Math.min(leftMs, LOOK_MS));
    }
  };
  const get = callbacksOf(loadKoffi()).register("get", answer);
  // Keeps the thread.
  parentPort.on("message", () => {});
  parentPort.postMessage(get);
}
