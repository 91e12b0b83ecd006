/** What the programs of a check print, as results. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { median } from "../../runtime/doctor/measure";
import type { Ended } from "./child";
import type { SizeFacts } from "./manifest";
import type { DoctorResult, PartState, RunResult, StepResult, TraceResult } from "./record";

/** A JSON document, or the last line that is one; undefined where there is none. */
export function jsonIn(text: string): unknown {
  const candidates = [text, ...text.split("\n").reverse()].filter((part) => part.trim().startsWith("{"));
  for (const part of candidates) {
    try {
      return JSON.parse(part);
    } catch {
      // A line of something else that begins with a brace.
    }
  }
  return undefined;
}

/** What bench/driver.ts and the scripts of bench/peers print. */
interface Timed {
  readonly seconds_median: number;
  readonly seconds_min: number;
  readonly seconds_max?: number;
  readonly seconds_queued?: number | null;
  readonly load_seconds?: number;
  readonly compile_seconds?: number;
  readonly device_peak_mib?: number | null;
  readonly losses?: readonly number[];
  readonly loss?: number;
  readonly engine?: string;
  readonly torch?: string;
  readonly jax?: string;
}

export function stepResult(found: unknown, size: SizeFacts, peakTeraflops: number | null): StepResult | null {
  if (typeof found !== "object" || found === null || !("seconds_median" in found)) return null;
  // Our own scripts print these fields.
  const timed = found as Timed;
  const seconds = timed.seconds_queued ?? timed.seconds_median;
  const teraflops = size.flopsPerStep / seconds / 1e12;
  const milliseconds = (value: number): number => value * 1000;
  return {
    kind: "step",
    imagesPerS: size.batch / seconds,
    stepMs: {
      median: milliseconds(timed.seconds_median),
      min: milliseconds(timed.seconds_min),
      max: milliseconds(timed.seconds_max ?? timed.seconds_median),
    },
    compileSeconds: timed.load_seconds ?? timed.compile_seconds ?? null,
    devicePeakMiB: timed.device_peak_mib ?? null,
    firstLoss: timed.losses?.[0] ?? null,
    lastLoss: timed.losses?.at(-1) ?? timed.loss ?? null,
    teraflops,
    shareOfPeak: peakTeraflops === null ? null : teraflops / peakTeraflops,
    with: timed.engine ?? (timed.torch === undefined ? `JAX ${timed.jax}` : `PyTorch ${timed.torch}`),
  };
}

export function traceResult(found: unknown): TraceResult | null {
  if (typeof found !== "object" || found === null || !("groups" in found)) return null;
  // runtime/replay/report.ts prints it.
  const { engine, holds, groups } = found as {
    readonly engine: string;
    readonly holds: boolean;
    readonly groups: readonly {
      readonly tensors: number;
      readonly holding: number;
      readonly worst: string;
      readonly share: number | null;
    }[];
  };
  const share = (group: { readonly share: number | null }): number => group.share ?? Number.POSITIVE_INFINITY;
  const [worst] = [...groups].sort((a, b) => share(b) - share(a));
  return {
    kind: "trace",
    engine,
    holds,
    tensors: groups.reduce((sum, group) => sum + group.tensors, 0),
    holding: groups.reduce((sum, group) => sum + group.holding, 0),
    worst: { tensor: worst?.worst ?? "", share: worst?.share ?? null },
  };
}

/** From the log of a run; null where no step was made. */
export function runResult(folder: string): RunResult | null {
  const file = join(folder, "log.jsonl");
  if (!existsSync(file)) return null;
  const events = readFileSync(file, "utf8")
    .split("\n")
    .flatMap((line) => (line.endsWith("}") ? [JSON.parse(line) as Record<string, unknown>] : []));
  const steps = events.filter(({ event }) => event === "step");
  const losses = steps.map(({ loss }) => Number(loss));
  if (losses.length === 0) return null;
  const last = losses.slice(-Math.ceil(losses.length / 4));
  return {
    kind: "run",
    engine: String(events.find(({ event }) => event === "start")?.engine),
    steps: Number(steps.at(-1)?.step),
    firstLoss: losses[0] ?? Number.NaN,
    lastLoss: last.reduce((sum, loss) => sum + loss, 0) / last.length,
    medianStepMs: median(steps.map(({ timeMs }) => Number(timeMs))),
  };
}

export function doctorResult(found: unknown): DoctorResult | null {
  if (typeof found !== "object" || found === null || !("findings" in found)) return null;
  // doctor.ts prints it.
  return { kind: "doctor", findings: (found as Pick<DoctorResult, "findings">).findings };
}

/**
 * R101 and R104 to R108: a package, a plugin or a device is not there. Of Python: neither is a package, or it is one that was
 * built for processors or finds no card.
 */
const NOT_THERE = new RegExp(
  [
    "\\bR10[145678]\\b",
    "ModuleNotFoundError|No module named",
    "not compiled with CUDA enabled|Found no NVIDIA driver|No CUDA GPUs are available",
    "Unknown backend:? '?cuda|Unable to initialize backend '(cuda|gpu)'",
  ].join("|"),
);

export function stateOf({ late, code, stdout, stderr }: Ended, hasResult: boolean): PartState {
  if (late) return "late";
  if (hasResult) return "ok";
  return code === 127 || NOT_THERE.test(stdout + stderr) ? "absent" : "failed";
}

/** The last lines, without the frames of stacks. */
export function lastWords({ stdout, stderr, code }: Ended): string {
  const lines = `${stdout}\n${stderr}`
    .split("\n")
    .map((line) => line.trimEnd().slice(0, 500))
    .filter((line) => line !== "" && !/^\s+at |^\s*File "/.test(line));
  return lines.length === 0 ? `It ended with ${code}, without a word.` : lines.slice(-8).join("\n");
}
