/** Recorded runs compiled in memory, for tests that go through them in this process. */

import type { GeneratedFile } from "../../compiler/emit/code";
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

/** Close `trace` when done. */
export async function compiledTrace(name: string): Promise<CompiledTrace> {
  const trace = await openTrace(officialPath(`${name}.safetensors`));
  return { trace, files: compileReplay(trace).files };
}

/** The replay of a trace on the default engine, with the files as they are or changed. */
export async function followFiles(
  trace: Trace,
  files: readonly GeneratedFile[],
  options: FollowOptions = {},
): Promise<Followed> {
  const engine = await createEngine({ threads: 1 });
  try {
    return await follow(await evaluateReplay(files), trace, engine, options);
  } finally {
    await engine.release();
  }
}
