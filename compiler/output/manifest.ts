/** manifest.json of a trainer: from which spec and generator its files came, and how each looked when it was written. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import type { StepMemory } from "../../runtime/step/memory";
import type { Compiled } from "../compile";
import type { Plan } from "../plan/plan";
import { precisionsOf } from "../spec/hardware-rules";
import { memoryEstimate } from "../step/memory";
import type { Step } from "../step/step";

export interface Manifest {
  readonly spec: string;
  readonly generator: string;
  /** sha256 by file name. */
  readonly files: Readonly<Record<string, string>>;
  /** Seen from the trainer's folder: where relative paths of the data start. The trainer reads it. */
  readonly dataFolder?: string;
  /** What the step is estimated to take on a device. The trainer compares it with its machine. */
  readonly memory?: StepMemory;
}

/** Lines end as the generator ends them: git on Windows and editors may have changed that, and nothing else. */
export const withPlainEnds = (text: string): string => text.replace(/^\uFEFF/, "").replaceAll("\r\n", "\n");

export const hashOf = (text: string): string => createHash("sha256").update(withPlainEnds(text)).digest("hex");

export function manifestOf(
  folder: string,
  { plan, step, files, dataFolder }: Pick<Compiled, "plan" | "step" | "files" | "dataFolder">,
): Manifest {
  const toData = dataFolder === null ? null : relative(resolve(folder), dataFolder).split(sep).join("/");
  const { specHash, generatorVersion } = plan.experiment;
  return {
    spec: specHash,
    generator: generatorVersion,
    files: Object.fromEntries(files.map(({ name, text }) => [name, hashOf(text)])),
    ...(toData !== null && { dataFolder: toData || "." }),
    memory: memoryOf(plan, step),
  };
}

function memoryOf(plan: Plan, step: Step): StepMemory {
  const { engine, device, precision } = plan.experiment.hardware;
  const { stateBytes, totalBytes } = memoryEstimate(step, plan);
  return {
    stateBytes,
    totalBytes,
    couldBeBf16: precision !== "bf16" && precisionsOf(engine, device).includes("bf16"),
  };
}

/** Null where there is none, or none that can be read, as after a merge with conflicts. */
export function readManifest(folder: string): Manifest | null {
  try {
    const found: Partial<Manifest> = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8"));
    const { spec, generator, files } = found;
    return typeof spec === "string" && typeof generator === "string" && typeof files === "object" && files !== null
      ? { spec, generator, files }
      : null;
  } catch {
    return null;
  }
}
