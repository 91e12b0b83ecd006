/** A run folder with one checkpoint of known weights, and what its encoders make of images, in float64. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compile } from "../../compiler/compile";
import { sizeOf } from "../../compiler/ir/number";
import { encoderStages } from "../../compiler/model/encoder";
import { specFromText } from "../../compiler/spec/load";
import { saveCheckpoint } from "../../runtime/checkpoint/checkpoint";
import { latestPath } from "../../runtime/checkpoint/folder";
import type { Dense } from "../../runtime/engines/reference/tensor";
import type { RuntimeObjective } from "../../runtime/experiment";
import { runFiles } from "../../runtime/loop/run-folder";
import { positionsOf } from "../../runtime/model/positions";
import { objectives } from "../../runtime/objectives";
import { randomAt } from "../../runtime/random/random";
import { evaluateTrainer } from "./generated";
import { runGraph } from "./run-graph";

/** Every size is another one, and the hidden width is not the usual multiple. */
export const smallSpec = {
  image: { size: 24 },
  encoder: { dim: 32, depth: 2, heads: 4, patch: 4, mlpRatio: 2.5 },
  predictor: { dim: 16, depth: 1, heads: 4 },
  masking: { minKeep: 1 },
  data: { source: "shapes", trainImages: 64, validationImages: 32, testImages: 32, sceneSize: 24 },
  optimization: { epochs: 2, globalBatch: 16, learningRate: { warmupEpochs: 1 } },
};

/** The same encoder among mask tokens, with a class token. */
const { predictor: _, masking: __, ...common } = smallSpec;
export const simmimSpec = { ...common, objective: "simmim" };

export const steps = 5;

/** The same encoder, with a class token, trained by data2vec. */
export const smallData2vecSpec = (({ predictor: _, masking: __, ...spec }) => ({ ...spec, objective: "data2vec" }))(
  smallSpec,
);

/** Writes the run into `folder`; `change` edits a value of the state before it is saved. */
export async function makeRun(
  folder: string,
  change: (path: string, values: Float32Array) => void = () => {},
  spec: object = smallSpec,
) {
  const loaded = specFromText({ text: JSON.stringify(spec), file: "small.json" });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
  const compiled = compile(loaded);
  const { experiment, parameters } = await evaluateTrainer(compiled.files);
  mkdirSync(folder, { recursive: true });
  const state = new Map<string, Float32Array>();
  const read = async (path: string): Promise<Float32Array> => {
    const known = state.get(path);
    if (known !== undefined) return known;
    const own = path.replace(/^target\./, "encoder.").replace(/^(weights|m|v)\./, "");
    const parameter = parameters.find((one) => one.path === own);
    if (parameter === undefined) throw new Error(`no parameter ${path}`);
    const values = new Float32Array(parameter.shape.reduce((product, size) => product * size, 1));
    randomAt({ seed: 5, purpose: path }).fillNormal(values, 0.3);
    if (/norm\d?\.weight$/.test(path)) for (const i of values.keys()) values[i] = 1 + (values[i] ?? 0);
    if (path.startsWith("v.")) for (const i of values.keys()) values[i] = Math.abs(values[i] ?? 0);
    change(path, values);
    state.set(path, values);
    return values;
  };
  const runtimeOf: RuntimeObjective = objectives[experiment.objective];
  const tables = runtimeOf.positions(experiment).map(({ name, shape }) => ({
    name,
    shape,
    values: positionsOf(experiment, shape[2]),
  }));
  const checkpoint = latestPath(folder, experiment.name);
  await saveCheckpoint({
    path: checkpoint,
    experiment,
    parameters,
    read,
    tables,
    averages: runtimeOf.judged.tree === "target",
    progress: { step: steps, epoch: 1, loss: 0.25 },
  });
  writeFileSync(join(folder, runFiles.experiment), JSON.stringify(experiment));
  const step = { event: "step", epoch: 1, loss: 0.3, lr: 1e-3, weightDecay: 0, momentum: 1, dataMs: 2, timeMs: 8 };
  const lines = Array.from({ length: 9 }, (_, i) => ({ ...step, step: i + 1, imagesPerSecond: 1600 }));
  writeFileSync(join(folder, runFiles.jsonl), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));

  const leafValues = (path: string, images: Float32Array): Float32Array => {
    if (path === "images") return images;
    const { deviceBatch } = experiment.optimizer;
    // The class token has no position.
    if (path === "classPosition") return new Float32Array(deviceBatch * experiment.encoder.dim);
    return positionsOf(experiment, experiment.encoder.dim);
  };

  /** Token features of images [B, 3, 24, 24] by an encoder of the run: [B, tokens, width], a class token first. */
  const encode = async (images: Float32Array, root: "target" | "weights.encoder"): Promise<Float64Array> => {
    const { model } = compiled.plan;
    const size = 3 * model.imageHeight * model.imageWidth;
    const count = images.length / size;
    let hidden: Dense | null = null;
    for (const { graph, blocks } of encoderStages({ ...model, pixels: "f32", images: count })) {
      for (let block = blocks?.from ?? 0; block < (blocks?.to ?? 1); block++) {
        const given = new Map<string, Dense>();
        const give = (name: string, shape: readonly number[], values: ArrayLike<number>): void => {
          given.set(name, { dtype: "f32", shape, data: Float64Array.from(values) });
        };
        for (const { name, shape, leaf } of graph.inputs) {
          const sizes = shape.map((num) => sizeOf(num));
          if (leaf === undefined && hidden !== null) given.set(name, hidden);
          else give(name, sizes, leafValues(leaf?.path ?? "", images));
        }
        for (const { path, parameters: weights } of graph.groups) {
          const at = path.replace(/^encoder\./, "").replace("*", String(block));
          for (const { name, shape, parameter } of weights) {
            const values = await read([root, at, parameter?.path].filter((part) => part !== "").join("."));
            give(
              name,
              shape.map((num) => sizeOf(num)),
              values,
            );
          }
        }
        hidden = runGraph(graph, given).get(graph.outputs[0]?.name ?? "") ?? null;
      }
    }
    return Float64Array.from(hidden?.data ?? []);
  };

  /** So many images of normal numbers. */
  const pixels = (count: number): Float32Array => {
    const values = new Float32Array(count * 3 * experiment.image.height * experiment.image.width);
    randomAt({ seed: 6, purpose: "pixels" }).fillNormal(values, 1);
    return values;
  };
  return { experiment, parameters, checkpoint, read, encode, pixels };
}

export type SmallRun = Awaited<ReturnType<typeof makeRun>>;

export function furthest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs((a[i] ?? Number.NaN) - (b[i] ?? Number.NaN)));
  return most;
}
