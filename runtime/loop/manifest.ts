/** What a trainer reads of the manifest.json that the compiler writes beside it; one that was copied alone has none. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { StepMemory } from "../step/memory";

export interface TrainerManifest {
  /** Seen from the trainer's folder. */
  readonly dataFolder: string | null;
  readonly memory: StepMemory | null;
}

const none: TrainerManifest = { dataFolder: null, memory: null };

/** `bundle` is the file of the trainer; null where it runs from its sources. */
export function manifestBeside(bundle: string | null): TrainerManifest {
  if (bundle === null) return none;
  try {
    const found: { readonly dataFolder?: unknown; readonly memory?: Partial<StepMemory> } = JSON.parse(
      readFileSync(join(dirname(bundle), "manifest.json"), "utf8"),
    );
    const { stateBytes, totalBytes, couldBeBf16 = false } = found.memory ?? {};
    const isKnown = typeof stateBytes === "number" && typeof totalBytes === "number";
    return {
      dataFolder: typeof found.dataFolder === "string" ? found.dataFolder : null,
      memory: isKnown ? { stateBytes, totalBytes, couldBeBf16 } : null,
    };
  } catch {
    return none;
  }
}
