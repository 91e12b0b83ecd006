import { expect, test } from "vitest";
import { nearest } from "../../../compiler/diagnostics/near";

test.each([
  ["dept", ["dim", "depth", "heads"], "depth"],
  ["learning_rate", ["epochs", "learningRate"], "learningRate"],
  ["LearningRate", ["epochs", "learningRate"], "learningRate"],
  ["lr", ["epochs", "learningRate"], "learningRate"],
  ["batch_size", ["globalBatch", "epochs"], "globalBatch"],
  ["ema", ["momentum", "adamw"], "momentum"],
  ["train", ["trainImages", "seed"], "trainImages"],
  ["colour", ["dim", "depth", "heads"], null],
  ["x", ["y"], null],
  ["constructor", ["dim"], null],
  ["", ["dim"], null],
  ["dim".repeat(100_000), ["dim"], null],
])("%.20s", (word, known, want) => {
  expect(nearest(word, known)).toBe(want);
});
