/** The program that trains a decoder of a run's representations: the run's own plan with a decoder's model in its place. */
import { join } from "node:path";
import { trainedModel } from "../../compiler/autodiff/trained";
import { bundle } from "../../compiler/bundle/bundle";
import { typeErrors } from "../../compiler/emit/check";
import type { GeneratedCode } from "../../compiler/emit/code";
import { emitDecoder } from "../../compiler/emit/emit";
import { packageRoot, packageVersion } from "../../compiler/emit/package-root";
import { objectiveOf } from "../../compiler/objectives";
import { optimize } from "../../compiler/optimize/index";
import type { Network } from "../../compiler/plan/model-numbers";
import { buildPlan, type Plan } from "../../compiler/plan/plan";
import { specHash } from "../../compiler/spec/load";
import type { Spec } from "../../compiler/spec/spec";
import { buildStep } from "../../compiler/step/build";
import type { Trainer } from "../../compiler/step/step";

/** Wide enough for a picture, small enough for minutes on a CPU. Its head is 32 wide. */
export const decoderNetwork: Network = { dim: 128, depth: 2, heads: 4, hidden: 512 };

const images = 16;
const learningRate = 2e-3;
const weightDecay = 0.01;
const warmupShare = 0.05;

export interface DecoderRequest {
  readonly spec: Spec;
  readonly settings: readonly string[];
  /** Optimizer steps. */
  readonly steps: number;
}

export type CompiledDecoder =
  | { readonly ok: true; readonly trainer: Trainer; readonly typescript: readonly GeneratedCode[] }
  /** A clause: there is nothing to decode. */
  | { readonly ok: false; readonly why: string };

export function compileDecoder(request: DecoderRequest): CompiledDecoder {
  const plan = decoderPlan(request);
  const model = objectiveOf(plan.model.objective).decoder(plan.model, decoderNetwork);
  if ("why" in model) return { ok: false, why: model.why };
  const trained = trainedModel(optimize(model));
  const { optimizer } = plan.experiment;
  const step = buildStep(trained, { ...optimizer, devices: 1, shards: 1, clipNorm: plan.clipNorm });
  const trainer: Trainer = { plan, model: trained, step };
  return { ok: true, trainer, typescript: emitDecoder(trainer) };
}

/** One file that plain node runs, type-checked. */
export async function bundleDecoder({ plan }: Trainer, typescript: readonly GeneratedCode[]): Promise<string> {
  const faults = typeErrors(join(packageRoot(), "generated", plan.experiment.name), typescript);
  if (faults.length > 0) {
    const shown = faults.slice(0, 5).join("\n  ");
    throw new Error(`internal: the decoder of ${plan.experiment.name} does not type-check:\n  ${shown}`);
  }
  return bundle({ files: typescript, banner: "" });
}

/** As the run was planned, with a batch and a schedule of the decoder's own, in float32 on the processor. */
function decoderPlan({ spec, settings, steps }: DecoderRequest): Plan {
  const hash = specHash(spec);
  const { experiment, model, ...plan } = buildPlan({
    spec,
    settings,
    specHash: hash,
    generatorVersion: packageVersion(),
  });
  return {
    ...plan,
    description: `What ${experiment.name} was, with the batch and the schedule of a decoder of its representations.`,
    clipNorm: null,
    experiment: {
      ...experiment,
      dropPath: 0,
      schedule: {
        steps,
        curveSteps: steps,
        warmupSteps: Math.ceil(warmupShare * steps),
        lrStart: 0,
        lrPeak: learningRate,
        lrFinal: 0,
        weightDecayStart: weightDecay,
        weightDecayFinal: weightDecay,
      },
      optimizer: { ...experiment.optimizer, globalBatch: images, deviceBatch: images, accumulation: 1 },
      hardware: {
        ...experiment.hardware,
        engine: "onnx",
        device: "cpu",
        gpus: 1,
        shardOptimizer: false,
        precision: "fp32",
      },
    },
    model: { ...model, images, operands: "f32", dropPath: false },
  };
}
