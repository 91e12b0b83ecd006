/** How fast this machine does the step of a spec, on the engine that the spec names: timed once, then kept. */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import { generatorHash } from "../../compiler/output/generator";
import { writeWhole } from "../../compiler/output/write";
import type { Plan } from "../../compiler/plan/plan";
import type { Spec } from "../../compiler/spec/spec";
import { stepCost } from "../../compiler/step/cost";
import type { Trainer } from "../../compiler/step/step";
import { cacheFolder } from "../../runtime/cache-folder";
import { type Speed, speedsOf } from "./fastest";

export interface OwnSpeed {
  readonly imagesPerS: number;
  /** Such as 2026-11-27: what else the machine did then is not known. */
  readonly day: string;
}

/** A few seconds on a processor of today; beyond it, a person asks for it. */
const MOST_OPERATIONS = 2e12;
const LIMIT_SECONDS = 20;

interface OwnSpeedOptions {
  /** From where packages are looked for. */
  readonly folder: string;
  /** Whether the step fits into the memory of this machine. */
  readonly fits: boolean;
  /** Told before a step is timed. */
  readonly timing: () => void;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Times the step; tests have one of their own. */
  readonly time?: typeof speedsOf;
}

/** `why` says why it was not timed. */
export async function ownSpeed(
  spec: Spec,
  { plan, step }: Trainer,
  { folder, fits, timing, env = process.env, time = speedsOf }: OwnSpeedOptions,
): Promise<OwnSpeed | { readonly why: string }> {
  const kept = readSpeed(plan, env);
  if (kept !== null) return kept;
  if (!fits) return { why: "a step does not fit into its memory" };
  const operations = stepCost(step, plan).flops;
  if (operations > MOST_OPERATIONS) {
    return { why: `a step is ${(operations / 1e12).toPrecision(2)} · 10¹² operations, too many to be timed unasked` };
  }
  timing();
  const { engine, device } = spec.hardware;
  const [speed] = await time(spec, {
    folder,
    limitSeconds: LIMIT_SECONDS,
    only: (subject) => subject.engine === engine && subject.device === device,
  });
  if (speed === undefined) {
    return {
      why: `${engine} on ${device} did no step within ${LIMIT_SECONDS} s; \`ijepa doctor\` says whether it works`,
    };
  }
  return keepSpeed(plan, speed, env);
}

/** Keeps what was timed for the step of this plan. A folder that cannot be written keeps nothing. */
export function keepSpeed(
  plan: Plan,
  { imagesPerS }: Pick<Speed, "imagesPerS">,
  env: Readonly<Record<string, string | undefined>> = process.env,
): OwnSpeed {
  const speed = { imagesPerS, day: new Date().toISOString().slice(0, 10) };
  const file = fileOf(plan, env);
  try {
    mkdirSync(join(file, ".."), { recursive: true });
    writeWhole(file, `${JSON.stringify(speed)}\n`);
  } catch {
    // It is timed again next time.
  }
  return speed;
}

function readSpeed(plan: Plan, env: Readonly<Record<string, string | undefined>>): OwnSpeed | null {
  try {
    const { imagesPerS, day }: OwnSpeed = JSON.parse(readFileSync(fileOf(plan, env), "utf8"));
    return imagesPerS > 0 && /^\d{4}-\d\d-\d\d$/.test(day) ? { imagesPerS, day } : null;
  } catch {
    return null;
  }
}

/** Named by a hash of all that the time depends on: the machine, the step, and what made it. */
function fileOf({ model, experiment }: Plan, env: Readonly<Record<string, string | undefined>>): string {
  const { engine, device, precision } = experiment.hardware;
  const machine = [cpus()[0]?.model ?? "", availableParallelism(), process.version];
  const on = [engine, device, precision, generatorHash()];
  const hash = createHash("sha256").update(JSON.stringify([machine, on, model, experiment.masks.programs]));
  return join(cacheFolder("speeds", env), `${hash.digest("hex")}.json`);
}
