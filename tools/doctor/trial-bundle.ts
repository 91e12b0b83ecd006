/** The program that is run for each engine and device: a tiny experiment, with what tries the engine in the trainer's place. */

import { build } from "../../compiler/build";
import { bundle } from "../../compiler/bundle/bundle";
import { emitTypeScript } from "../../compiler/emit/emit";
import { specFromText } from "../../compiler/spec/load";

/** Small enough that float64, element by element, does a step in a fraction of a second. */
const EXPERIMENT = {
  name: "doctor",
  description: "A step that every engine does in no time.",
  image: { size: 32 },
  encoder: { dim: 48, depth: 2, heads: 3, patch: 4 },
  predictor: { dim: 24, depth: 1 },
  masking: { minKeep: 4, targets: { scale: [0.2, 0.2] } },
  data: { source: "shapes", trainImages: 64, sceneSize: 32 },
  optimization: { epochs: 2, globalBatch: 4, learningRate: { warmupEpochs: 0 } },
};

let bundled: Promise<string> | undefined;

/** One CommonJS program, the same for every engine. */
export function trialBundle(): Promise<string> {
  bundled ??= makeBundle();
  return bundled;
}

async function makeBundle(): Promise<string> {
  const loaded = specFromText({ text: JSON.stringify(EXPERIMENT), file: "doctor.json" });
  if (!loaded.ok) throw new Error(`internal: the doctor's experiment: ${JSON.stringify(loaded.diagnostics)}`);
  const files = emitTypeScript(build(loaded), "ijepa/runtime/doctor/trial");
  return await bundle({ files, banner: "" });
}
