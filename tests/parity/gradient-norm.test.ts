/** The norm of the gradient that a step gives, against that of the recorded gradients of the official code. */
import { describe, expect, it } from "vitest";
import { createEngine } from "../../runtime/engines/onnx/engine";
import { createReferenceEngine } from "../../runtime/engines/reference/engine";
import { createEngine as createTfjs } from "../../runtime/engines/tfjs/engine";
import { constantsOf, inputsOf, stepEngineFunctions } from "../../runtime/loop/functions";
import { stateSpecs, writeZeros } from "../../runtime/loop/state";
import { batchOf, floatsOf, initialState } from "../../runtime/replay/inputs";
import type { Trace } from "../../runtime/replay/trace";
import { scalarsOf, scheduleTree } from "../../runtime/schedules/schedules";
import { evaluateReplay } from "../support/generated";
import { compiledTrace } from "../support/replay";

const engines = {
  onnx: () => createEngine({ threads: 1 }),
  reference: () => createReferenceEngine(),
  tfjs: () => createTfjs({ threads: 1, device: "wasm" }),
} as const;

/** `torch.nn.utils.clip_grad_norm_(gradients, inf)` of PyTorch 2.13 on the recorded gradients of the first step. */
const byPytorch = {
  step_tiny_official_init: 0.4534282684326172,
  step_odd_perturbed: 0.3239952623844147,
} as const;

async function recordedNorm(trace: Trace): Promise<number> {
  let squares = 0;
  for (const name of trace.file.header.tensors.keys()) {
    if (!name.startsWith("grad.")) continue;
    for (const value of await floatsOf(trace.file, name)) squares += value * value;
  }
  return Math.sqrt(squares);
}

describe("the norm of the gradient", () => {
  const cases = (["step_tiny_official_init", "step_odd_perturbed"] as const).flatMap((name) =>
    (["onnx", "reference", "tfjs"] as const).map((engine) => [name, engine] as const),
  );
  it.each(cases)("%s on %s is that of the official gradients", async (name, engineName) => {
    const { trace, files } = await compiledTrace(name);
    const engine = await engines[engineName]();
    try {
      const wanted = await recordedNorm(trace);
      expect(wanted).toBeGreaterThan(0);
      expect(Math.abs(wanted - byPytorch[name])).toBeLessThan(1e-6 * wanted);
      const program = await evaluateReplay(files);
      const { experiment, parameters } = program;
      const store = engine.createStore(stateSpecs(parameters, program.state));
      for await (const [path, values] of initialState(trace, parameters)) await store.write(path, values);
      await writeZeros(store, ["m", "v", "gradients"]);
      const functions = stepEngineFunctions(program);
      const microBatch = await engine.load(functions.microBatch, store);
      const update = functions.update && (await engine.load(functions.update, store));
      const constants = constantsOf(program);
      const values = { learningRate: 1e-3, weightDecay: 0.04, momentum: 0.996 };
      const schedule = scheduleTree(scalarsOf(values, experiment.optimizer, 0));
      let norm: number | undefined;
      for (let rank = 0; rank < trace.ranks; rank++) {
        const { batch, lengths } = await batchOf(trace, experiment, rank, 0);
        const given = { batch, constants, ...(update === null ? { schedule } : {}) };
        norm = (await microBatch.run(inputsOf(given), lengths)).get("norm")?.[0];
      }
      if (update !== null) norm = (await update.run(inputsOf({ schedule }), {})).get("norm")?.[0];
      expect(Math.abs((norm ?? Number.NaN) - wanted)).toBeLessThan(2e-5 * wanted);
    } finally {
      await engine.release();
      await trace.close();
    }
  });
});
