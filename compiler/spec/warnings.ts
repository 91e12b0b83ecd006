/** What is probably not meant, but can be trained. Looked for where nothing is wrong. */
import { resolve } from "node:path";
import { areaOf } from "../../runtime/masks/blocks";
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

/** Devices whose memory is that of the machine. */
const onTheHost: { readonly [D in Spec["hardware"]["device"]]: boolean } = {
  cpu: true,
  wasm: true,
  js: true,
  gpu: false,
  tpu: false,
  webgpu: false,
};

export interface MemoryOfStep {
  /** Weights, their moments and the target encoder; and all that lives at the fullest moment. */
  readonly stateBytes: number;
  readonly totalBytes: number;
}

/** The system and the images want some too. */
const usableShare = 0.9;

interface StepPlace {
  readonly optimization: Pick<Spec["optimization"], "globalBatch" | "accumulation">;
  readonly hardware: Pick<Spec["hardware"], "gpus" | "device">;
}

/** A step that takes more memory than there is, with what would fit; null where it fits or the memory is a card's. */
export function memoryFinding(
  { optimization, hardware }: StepPlace,
  { stateBytes, totalBytes }: MemoryOfStep,
  machineBytes: number,
): ReturnType<Rule["check"]>[number] | null {
  if (!onTheHost[hardware.device] || totalBytes <= machineBytes) return null;
  const share = optimization.globalBatch / hardware.gpus;
  const images = share / optimization.accumulation;
  const perImage = (totalBytes - stateBytes) / images;
  const most = Math.floor((usableShare * machineBytes - stateBytes) / perImage);
  const parts = divisors(share).find((parts) => share / parts <= most);
  const fits = parts === undefined ? null : { images: share / parts, accumulation: parts };
  const problem = errors.memoryTooSmall({ totalBytes, stateBytes, machineBytes, images, fits });
  return { path: ["optimization", "globalBatch"], problem };
}

function divisors(total: number): readonly number[] {
  return Array.from({ length: total }, (_, i) => i + 1).filter((part) => total % part === 0);
}
