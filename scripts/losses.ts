/** Trains a spec in a process of its own, for scripts that compare runs. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bundle } from "../compiler/bundle/bundle";
import { compile } from "../compiler/compile";
import { specFromText } from "../compiler/spec/load";

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
export async function lossesOf({ spec, home, steps, threads }: Training): Promise<ReadonlyMap<number, number>> {
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
  const events = readFileSync(join(run, "log.jsonl"), "utf8").trim().split("\n");
  return new Map(
    events.flatMap((line): [number, number][] => {
      const { event, step, loss }: { event?: string; step?: number; loss?: number } = JSON.parse(line);
      return event === "step" && step !== undefined && loss !== undefined ? [[step, loss]] : [];
    }),
  );
}
