/** Five training steps of the official implementation, through the compiler and the default engine. */
import { describe, expect, it } from "vitest";
import { emitTypeScript } from "../../compiler/emit/emit";
import { buildModel } from "../../compiler/model/chains";
import { optimise } from "../../compiler/optimise";
import { buildPlan } from "../../compiler/plan/plan";
import { specFromText } from "../../compiler/spec/load";
import { fromOfficial, officialTensors, toOfficial } from "../../runtime/checkpoint/official";
import { createEngine } from "../../runtime/engines/onnx/engine";
import type { TrainerProgram } from "../../runtime/experiment";
import { constantsOf, stepFunctions } from "../../runtime/loop/functions";
import { stateSpecs, writeInitialState } from "../../runtime/loop/state";
import { scheduleAt } from "../../runtime/schedules/schedules";
import { evaluateTrainer } from "../support/generated";
import { readTrace, specOfTrace } from "../support/trace";

/** [count][B, K] indices → the blocks of an image side by side. */
function sideBySide(
  masks: readonly { readonly values: ArrayLike<number | bigint>; readonly shape: readonly number[] }[],
): Int32Array {
  const [B = 0, K = 0] = masks[0]?.shape ?? [];
  const out = new Int32Array(B * masks.length * K);
  masks.forEach(({ values }, m) => {
    for (let b = 0; b < B; b++)
      for (let k = 0; k < K; k++) out[(b * masks.length + m) * K + k] = Number(values[b * K + k]);
  });
  return out;
}

describe.each(["step_tiny_official_init", "step_odd_perturbed"])("%s", (name) => {
  it("follows the official weights for five steps", async () => {
    const { json, tensors } = await readTrace(name);
    const loaded = specFromText({ text: JSON.stringify(specOfTrace(json.config)), file: `${name}.json` });
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
    const plan = buildPlan({ spec: loaded.spec, specHash: loaded.hash, generatorVersion: "test" });
    const model = { ...plan.model, varies: { context: true, target: true, sequence: true } };
    const files = emitTypeScript(optimise(buildModel(model)), { ...plan, model });
    const program: TrainerProgram = await evaluateTrainer(files);
    const { experiment, parameters } = program;

    const engine = await createEngine({ threads: 1 });
    const store = engine.createStore(stateSpecs(parameters, "step"));
    await writeInitialState(store, parameters, 0);
    const names = officialTensors(parameters);
    const at = (key: string) => {
      const found = tensors.get(key);
      if (found === undefined) throw new Error(`the trace has no ${key}`);
      return found;
    };
    for (const { name: official, statePath, parameter } of names) {
      if (official.startsWith("opt.")) continue;
      const key = `init.${official.replace("target_encoder.", "encoder.")}`;
      await store.write(statePath, fromOfficial(parameter, Float32Array.from(at(key).values as Float32Array)));
    }
    const functions = stepFunctions(program);
    if (functions.kind !== "step") throw new Error("one step");
    const step = await engine.load(functions.step, store);

    const masksOf = (s: number, kind: "enc" | "pred", count: number) =>
      Array.from({ length: count }, (_, j) => at(`step${s}.mask_${kind}.${j}`));
    const worst: Record<string, number> = {};
    const compareState = async (prefix: string) => {
      for (const { name: official, statePath, parameter } of names) {
        if (official.startsWith("opt.")) continue;
        const key = `${prefix}.${official}`;
        const want = at(key).values as Float32Array;
        const got = toOfficial(parameter, await store.read(statePath));
        const tol = json.float32_vs_float64[key]?.tol ?? 0;
        const D = want.length / 3;
        let ratio = 0;
        for (let i = 0; i < want.length; i++) {
          const isKeyBias = official.endsWith("attn.qkv.bias") && i >= D && i < 2 * D;
          ratio = Math.max(ratio, Math.abs((got[i] ?? Number.NaN) - (want[i] ?? 0)) / (isKeyBias ? 1e-4 : tol));
        }
        worst[key] = ratio;
      }
    };
    for (let s = 0; s < 5; s++) {
      const enc = masksOf(s, "enc", experiment.masks.contextCount);
      const pred = masksOf(s, "pred", experiment.masks.targetCount);
      const C = enc[0]?.shape[1] ?? 0;
      const T = pred[0]?.shape[1] ?? 0;
      const values = scheduleAt(experiment.schedule, experiment.optimiser, s);
      const outputs = await step.run(
        new Map<string, Float32Array | Int32Array>([
          ["batch.images", at(`step${s}.images`).values as Float32Array],
          ["batch.contextIndex", Int32Array.from(enc.flatMap((mask) => [...(mask.values as Int32Array)]))],
          ["batch.targetIndex", sideBySide(pred as never)],
          ...(["stepSize", "secondMoment", "decayFactor", "keep", "take"] as const).map(
            (key): [string, Float32Array] => [`schedule.${key}`, Float32Array.of(values[key])],
          ),
          ...constantsOf(experiment),
        ]),
        { C, T, S: C + T, U: experiment.masks.targetCount * T },
      );
      const want = Number(at("seq.loss_smooth_l1").values[s]);
      const loss = Number(outputs.get("loss")?.[0]);
      expect(Math.abs(loss - want) / want, `loss of step ${s}: ${loss} for ${want}`).toBeLessThan(5e-6);
      if (s === 0) await compareState("after1");
    }
    await compareState("after5");
    const beyond = Object.entries(worst).filter(([, ratio]) => !(ratio <= 1));
    expect(beyond).toEqual([]);
    await engine.release();
  });
});
