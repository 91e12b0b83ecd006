/** What a server is told of a run when it begins. */
import { basename, resolve } from "node:path";
import type { Experiment } from "../../experiment";
import type { RunFacts } from "./server";

export function factsOf(experiment: Experiment, directory: string, startedMs: number): RunFacts {
  return { name: basename(resolve(directory)), startedMs, constants: new Map(constantsOf(experiment)) };
}

/** Constants by path, such as `encoder.depth`; lists as JSON. */
function* constantsOf(value: object, path = ""): Generator<[path: string, text: string]> {
  for (const [name, field] of Object.entries(value)) {
    const at = path === "" ? name : `${path}.${name}`;
    if (typeof field === "object" && field !== null && !Array.isArray(field)) yield* constantsOf(field, at);
    else yield [at, typeof field === "string" ? field : JSON.stringify(field)];
  }
}
