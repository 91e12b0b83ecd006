/** A trainer whose step goes through a recording in the place of the compiler's own. */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { GeneratedCode } from "../../compiler/emit/code";
import { reachedFrom, readFiles } from "../../compiler/output/bundle-folder";
import { writeWhole } from "../../compiler/output/write";
import type { CompiledReplay } from "./compile";

/** step.ts of a folder with what it imports from there; null where there is none. */
export function readStep(folder: string): readonly GeneratedCode[] | null {
  if (!existsSync(join(folder, "step.ts"))) return null;
  return reachedFrom("step.ts", readFiles(folder));
}

/** Writes the trainer of a recording, to be read and edited; false where a step lies there already. */
export function writeStep(folder: string, { typescript }: CompiledReplay): boolean {
  if (existsSync(join(folder, "step.ts"))) return false;
  mkdirSync(folder, { recursive: true });
  for (const { name, text } of typescript) writeWhole(join(folder, name), text);
  return true;
}

/** Whether a folder's step is not what the compiler writes for the recording, but for its header. */
export function differs(step: readonly GeneratedCode[], { ownStep }: CompiledReplay): boolean {
  const body = (text: string): string => text.replace(/^\/\*![\s\S]*?\*\//, "");
  return step.length > 1 || step.some(({ text }) => body(text) !== body(ownStep));
}
