/** What is probably not meant, but can be trained. Looked for where nothing is wrong. */
import { resolve } from "node:path";
import { areaOf } from "../../runtime/masks/blocks";
import { memoryShortage, type StepMemory } from "../../runtime/step/memory";
import { errors } from "../diagnostics/catalogue";
import { maskSizes } from "../masks/settings";
import { lookAtFolder } from "./image-folder";
import { maskSettings } from "./mask-settings";
import type { Rule } from "./rule";
import type { Spec } from "./spec";

export const warnings: readonly Rule[] = [
  {
    name: "a context is larger than a target",
    reads: ["image.size", "encoder.patch", "masking"],
    check: ({ spec }) => {
      const settings = maskSettings(spec);
      if (settings.strategy !== "multiblock") return [];
      const { targets, contexts } = maskSizes(settings);
      const [target, context] = [Math.max(...targets.map(areaOf)), Math.max(...contexts.map(areaOf))];
      if (context > target) return [];
      return [{ path: ["masking", "context", "scale"], problem: errors.contextLikeTargets({ target, context }) }];
    },
  },
  {
    name: "a target has more than one place",
    reads: ["image.size", "encoder.patch", "masking"],
    check: ({ spec }) => {
      const settings = maskSettings(spec);
      if (settings.strategy !== "multiblock") return [];
      const { grid, sampler } = settings;
      const { targets } = maskSizes(settings);
      // The reference draws from 0 to margin − 1, so that a margin of one patch leaves one place (reference.md §1.3).
      const least = sampler === "reference" ? 2 : 1;
      const fixed = targets.find(({ height, width }) => grid.height - height < least && grid.width - width < least);
      if (fixed === undefined) return [];
      const problem = errors.targetOfOnePlace({ height: fixed.height, width: fixed.width, grid: grid.height, sampler });
      return [{ path: ["masking", "targets", "scale"], problem }];
    },
  },
  {
    name: "images that are not read",
    reads: ["data"],
    check: ({ spec: { data }, folder }) => {
      const path = data.source === "folder" ? resolve(folder, data.train) : null;
      const skipped = path === null ? [] : [...(lookAtFolder(path)?.skipped ?? [])];
      return skipped.length === 0 || path === null
        ? []
        : [{ path: ["data", "train"], problem: errors.imagesSkipped({ folder: path, skipped }) }];
    },
  },
];

interface StepOfSpec {
  readonly optimization: Pick<Spec["optimization"], "globalBatch" | "accumulation">;
  readonly hardware: Pick<Spec["hardware"], "gpus" | "device">;
}

/** A step that takes more memory than there is, with what would fit; `bf16` is what it takes in that precision. */
export function memoryFinding(
  { optimization: { globalBatch, accumulation }, hardware: { gpus, device } }: StepOfSpec,
  memory: StepMemory,
  machineBytes: number,
  bf16: StepMemory | null = null,
): ReturnType<Rule["check"]>[number] | null {
  // Several devices may be of several machines, which a spec does not say.
  const place = { device, images: globalBatch / gpus, accumulation, devicesHere: 1 };
  const shortage = memoryShortage(place, memory, machineBytes, bf16);
  return shortage && { path: ["optimization", "globalBatch"], problem: errors.memoryTooSmall(shortage) };
}
