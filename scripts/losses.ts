/** Trains a spec in a process of its own, for scripts that compare runs. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bundle } from "../compiler/bundle/bundle";
import { compile } from "../compiler/compile";
import { specFromText } from "../compiler/spec/load";
import type { LogEvent } from "../runtime/report/jsonl";

export interface Training {
  /** The spec as JSON has it. */
  readonly spec: object;
  /** A folder of its own, which does not exist yet. */
  readonly home: string;
  /** Left out: all of them. */
  readonly steps?: string;
  readonly threads: string;
}

/** Losses by step. */
export async function lossesOf(training: Training): Promise<ReadonlyMap<number, number>> {
  return stepLosses(await trained(training));
}

/** The loss of every step that a log has. */
export function stepLosses(events: readonly LogEvent[]): ReadonlyMap<number, number> {
  return new Map(
    events.flatMap((event): [number, number][] => (event.event === "step" ? [[event.step, event.loss]] : [])),
  );
}

/** The log of the run. Throws where the trainer does not end well. */
export async function trained({ spec, home, steps, threads }: Training): Promise<readonly LogEvent[]> {
  const loaded = specFromText({ text: JSON.stringify(spec), file: "spec.json" });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics, null, 1));
  const { files } = compile(loaded);
  mkdirSync(home);
  const script = join(home, "train.js");
  writeFileSync(script, await bundle({ files, banner: "" }));
  const run = join(home, "run");
  const limit = steps === undefined ? [] : ["--steps", steps];
  const args = [script, "--run-dir", run, "--quiet", ...limit, "--log-every", "1", "--threads", threads];
  const { status } = spawnSync(process.execPath, args, { stdio: ["ignore", "inherit", "inherit"] });
  if (status !== 0) throw new Error(`the trainer in ${home} ended with ${status}`);
  // Written by the trainer that was compiled here.
  return readFileSync(join(run, "log.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as LogEvent);
}
