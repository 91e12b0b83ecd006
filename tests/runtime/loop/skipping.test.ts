import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Engine, StateStore } from "../../../runtime/engines/engine";
import { createEngine as createOnnxEngine } from "../../../runtime/engines/onnx/engine";
import { createReferenceEngine } from "../../../runtime/engines/reference/engine";
import { skippingRunner } from "../../../runtime/loop/skipping";
import { stateSpecs, writeInitialState } from "../../../runtime/loop/state";
import { openStepRunner } from "../../../runtime/loop/step-runner";
import type { StepOutcome, StepRunner } from "../../../runtime/loop/train-loop";
import { evaluateTrainer } from "../../support/generated";
import { compiledWith } from "../../support/variations";

const engines: readonly [name: string, open: () => Promise<Engine>][] = [
  ["onnx", () => createOnnxEngine({ threads: 1 })],
  ["reference", () => createReferenceEngine()],
];

/** A hash of each tensor: of two states that differ, all numbers side by side would help nobody. */
const stateOf = async (store: StateStore): Promise<Readonly<Record<string, string>>> => {
  const all: Record<string, string> = {};
  for (const path of store.specs.keys()) {
    const values = await store.read(path);
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    all[path] = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
  }
  return all;
};

describe.each(engines)("a real step of %s", (_, open) => {
  const failures: readonly [what: string, spoil: (store: StateStore, outcome: StepOutcome) => Promise<StepOutcome>][] =
    [
      ["a loss", async (__, outcome) => ({ ...outcome, loss: Number.NaN })],
      ["a norm", async (__, outcome) => ({ ...outcome, gradientNorm: Number.POSITIVE_INFINITY })],
      [
        "a gradient that shows in the state alone",
        async (store, outcome) => {
          const [path = ""] = [...store.specs.keys()].filter((name) => name.startsWith("m."));
          const values = (await store.read(path)).slice();
          values[values.length - 1] = Number.NaN;
          await store.write(path, values);
          return outcome;
        },
      ],
    ];
  test.each(failures)("is taken back to the bit where %s is not finite", async (__, spoil) => {
    const program = await evaluateTrainer(compiledWith({}).files);
    const { experiment, parameters } = program;
    const engine = await open();
    const store = engine.createStore(stateSpecs(parameters, program.state));
    await writeInitialState(store, parameters, experiment.seed);
    const real = await openStepRunner(engine, program, store);
    let spoils = false;
    const spoilt: StepRunner = {
      ...real,
      begin: async (prepared, nextImages) => {
        const { outcome, dataMs } = await real.begin(prepared, nextImages);
        return { outcome: spoils ? outcome.then((found) => spoil(store, found)) : outcome, dataMs };
      },
    };
    const runner = skippingRunner(spoilt, store);
    const size = experiment.optimizer.deviceBatch * 3 * experiment.image.height * experiment.image.width;
    const images = async (): Promise<Uint8Array> => Uint8Array.from({ length: size }, (___, i) => (i * i) % 251);
    expect((await runner.run(runner.prepare(0), images)).takenBack).toBeUndefined();
    const before = await stateOf(store);
    spoils = true;
    expect((await runner.run(runner.prepare(1), images)).takenBack).toBeDefined();
    expect(await stateOf(store)).toEqual(before);
    spoils = false;
    // The step did something, or there would be nothing to take back.
    await runner.run(runner.prepare(1), images);
    expect(await stateOf(store)).not.toEqual(before);
    await engine.release();
  });
});
