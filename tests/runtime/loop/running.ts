/** Runs of the tiny experiment on the fake engine, and what they leave in their folders. */
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TrainerFlags } from "../../../runtime/cli";
import type { IJepaExperiment } from "../../../runtime/experiment";
import type { TrainerEnvironment } from "../../../runtime/loop/environment";
import { run } from "../../../runtime/loop/run";
import { noLoggerSettings } from "../../support/no-loggers";
import { type FakeEngine, fakeEngine, fakeEnvironment, tinyProgram } from "./fake";

export const folder = (): string => mkdtempSync(join(tmpdir(), "ijepa-run-"));

function flags(runDirectory: string, changes: Partial<TrainerFlags> = {}): TrainerFlags {
  return {
    dataRoot: ".",
    runDirectory,
    resume: { from: "nothing" },
    initFrom: null,
    stopAtStep: null,
    floors: [],
    logEverySteps: 2,
    logEveryGiven: true,
    loggers: noLoggerSettings,
    threads: 1,
    workers: 1,
    pjrtPlugin: null,
    progress: false,
    quiet: false,
    ...changes,
  };
}

interface Ran {
  readonly code: number;
  readonly engine: FakeEngine;
  readonly text: string;
}

export async function runIn(
  directory: string,
  given: {
    readonly flags?: Partial<TrainerFlags>;
    readonly experiment?: Partial<IJepaExperiment>;
    readonly environment?: Partial<TrainerEnvironment>;
    readonly kind?: "step" | "accumulate";
    readonly lossAt?: (call: number) => number | null;
  } = {},
): Promise<Ran> {
  const engine = fakeEngine(given.lossAt);
  const environment = fakeEnvironment(engine, given.environment);
  const program = tinyProgram(given.experiment, given.kind);
  const code = await run(program, flags(directory, given.flags), environment);
  return { code, engine, text: environment.out.text };
}

export const resume = { from: "latest" } as const;
export const latest = "tiny-latest.safetensors";
export const read = (directory: string, file: string): string => readFileSync(join(directory, file), "utf8");
/** The CSV without its times, which no two runs share. */
export const losses = (directory: string): string[] =>
  read(directory, "log.csv")
    .trimEnd()
    .split("\n")
    .map((row) => row.split(",").slice(0, 5).join(","));
interface Logged {
  readonly event: string;
  readonly step: number;
  readonly [key: string]: unknown;
}
export const events = (directory: string): Logged[] =>
  read(directory, "log.jsonl")
    .trimEnd()
    .split("\n")
    .map((line): Logged => JSON.parse(line));
const timeless = ({ timeMs, dataMs, imagesPerSecond, dataShare, ...rest }: Logged): unknown => rest;
export const stepsAndEpochs = (directory: string): unknown[] =>
  events(directory)
    .filter(({ event }) => event === "step" || event === "epoch")
    .map(timeless);
