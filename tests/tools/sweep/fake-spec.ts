/** The smallest whole spec, for points that are never compiled. */

import type { SpecInput } from "../../../compiler/spec/input";
import { specFromText } from "../../../compiler/spec/load";
import type { Spec } from "../../../compiler/spec/spec";

export function fakeSpec(name: string, epochs = 2, hardware: SpecInput["hardware"] = {}): Spec {
  const text = JSON.stringify({
    name,
    image: { size: 16 },
    encoder: { dim: 16, depth: 1, heads: 2, patch: 4 },
    predictor: { dim: 8, depth: 1 },
    masking: { minKeep: 1, targets: { scale: [0.25, 0.3] } },
    data: { source: "shapes", trainImages: 64, sceneSize: 16 },
    optimization: { epochs, globalBatch: 8, learningRate: { warmupEpochs: 0.5 } },
    hardware,
  });
  const loaded = specFromText({ text, file: `${name}.json` });
  if (!loaded.ok) throw new Error(loaded.diagnostics.map(({ path, what }) => `${path}: ${what}`).join("; "));
  return loaded.spec;
}
