/** Recorded runs compiled in memory, for tests that go through them in this process. */

import type { GeneratedFile } from "../../compiler/emit/code";
import type { Spec } from "../../compiler/spec/spec";
import type { Engine } from "../../runtime/engines/engine";
import { createEngine } from "../../runtime/engines/onnx/engine";
import { type Followed, type FollowOptions, follow } from "../../runtime/replay/follow";
import { openTrace, type Trace } from "../../runtime/replay/trace";
import { compileReplay } from "../../tools/replay/compile";
import { evaluateReplay } from "./generated";
import { officialPath } from "./official";

export const officialTraces = ["step_tiny_official_init", "step_odd_perturbed", "ddp2_tiny_official_init"] as const;

export interface CompiledTrace {
  readonly trace: Trace;
  readonly files: readonly GeneratedFile[];
}

export const inBfloat16 = { precision: "bf16" } as const;

/** Close `trace` when done. */
export const compiledTrace = (name: string, hardware?: Partial<Spec["hardware"]>): Promise<CompiledTrace> =>
  compiledTraceAt(officialPath(`${name}.safetensors`), hardware);

/** The same of any file. */
export async function compiledTraceAt(path: string, hardware?: Partial<Spec["hardware"]>): Promise<CompiledTrace> {
  const trace = await openTrace(path);
  return { trace, files: compileReplay(trace, { hardware }).files };
}

export interface Mutation {
  readonly from: RegExp;
  readonly to: string;
  /** Only in this function of step.ts; everywhere where none is named. */
  readonly inside?: string;
}

/** The files with one mistake in step.ts. Throws where the pattern is not there: the mutation would prove nothing. */
export function mutatedStep(files: readonly GeneratedFile[], mutation: Mutation): readonly GeneratedFile[] {
  return files.map((file) => (file.name === "step.ts" ? { ...file, text: mutated(file.text, mutation) } : file));
}

function mutated(text: string, { from, to, inside }: Mutation): string {
  const start = inside === undefined ? 0 : text.search(new RegExp(`export function ${inside}[<(]`));
  if (start < 0) throw new Error(`step.ts has no ${inside}`);
  const end = inside === undefined ? text.length : text.indexOf("\n}\n", start);
  const changed = text.slice(start, end).replace(from, to);
  if (changed === text.slice(start, end)) throw new Error(`step.ts has nothing like ${from}`);
  return text.slice(0, start) + changed + text.slice(end);
}

/** The replay of a trace with the files as they are or changed; left out, on the default engine. */
export async function followFiles(
  trace: Trace,
  files: readonly GeneratedFile[],
  { engine, ...options }: FollowOptions & { readonly engine?: Engine } = {},
): Promise<Followed> {
  const own = engine ?? (await createEngine({ threads: 1 }));
  try {
    return await follow(await evaluateReplay(files), trace, own, options);
  } finally {
    if (engine === undefined) await own.release();
  }
}
