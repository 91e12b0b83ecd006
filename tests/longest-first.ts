/** The order of test files: those that take half a minute begin first, so that none of them is left alone at the end. */
import { resolve } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** From the longest; times differ from machine to machine, this order hardly. */
const longest = [
  "tests/runtime/engines/xla/parity.test.ts",
  "tests/runtime/engines/xla/objectives.test.ts",
  "tests/commands/compile.test.ts",
  "tests/runtime/engines/xla/trainer.test.ts",
  "tests/runtime/engines/onnx/webgpu-official.test.ts",
  "tests/commands/replay-step.test.ts",
  "tests/parity/ranks.test.ts",
  "tests/commands/sweep.test.ts",
  "tests/runtime/engines/onnx/webgpu-trainer.test.ts",
  "tests/parity/replay.test.ts",
  "tests/parity/mutations.test.ts",
  "tests/runtime/engines/xla/replicas.test.ts",
  "tests/docs/workflow.test.ts",
].map((file) => resolve(file));

export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const at = longest.indexOf(moduleId);
      return at < 0 ? longest.length : at;
    };
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b));
  }
}
