/** What is probably not meant, but can be trained. Looked for where nothing is wrong. */
import { resolve } from "node:path";
import { memoryShortage, type StepMemory } from "../../runtime/step/memory";
import { errors } from "../diagnostics/catalogue";
import { lookAtFolder } from "./image-folder";
import type { Rule } from "./rule";
import type { Spec } from "./spec";

export const warnings: readonly Rule[] = [
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
  const shortage = memoryShortage(place, memory, { of: "machine", bytes: machineBytes }, bf16);
  return shortage && { path: ["optimization", "globalBatch"], problem: errors.memoryTooSmall(shortage) };
}
