/** Sizes of step.ts that contradict experiment.ts end a trainer before it begins, in a sentence that names the size. */
import { expect, it } from "vitest";
import { checkSizes, type StepSizes } from "../../../runtime/step/agree";
import { compiledWith } from "../../support/variations";

const { experiment } = compiledWith({}).plan;
const right: StepSizes = { B: 4, N: 16, V: 192, D: 16, H: 2, F: 64, P: 8, PH: 2, PF: 32 };

it("are accepted where they agree", () => {
  checkSizes(experiment, right);
});

it.each([
  ["B", "optimizer.deviceBatch", 4],
  ["N", "image.gridHeight · image.gridWidth", 16],
  ["V", "image.channels · image.patch²", 192],
  ["D", "encoder.dim", 16],
  ["H", "encoder.heads", 2],
  ["F", "encoder.hidden", 64],
  ["P", "predictor.dim", 8],
  ["PH", "predictor.heads", 2],
  ["PF", "predictor.hidden", 32],
] as const)("%s", (name, field, wanted) => {
  expect(() => checkSizes(experiment, { ...right, [name]: wanted + 1 })).toThrow(
    `step.ts declares ${name} = ${wanted + 1}, but experiment.ts makes it ${wanted} (${field}). ` +
      "Change the spec and compile it, or give both files one number.",
  );
});
