/** A recorded run as a program: the trainer's own files, and beside them what a replay looks at. */

import { buildTrainer } from "../../compiler/build";
import { type GeneratedCode, type GeneratedFile, standingForItself } from "../../compiler/emit/code";
import { emitTypeScript, functionsText, sizesText } from "../../compiler/emit/emit";
import { emitObserve } from "../../compiler/emit/observe";
import { packageVersion } from "../../compiler/emit/package-root";
import { render } from "../../compiler/emit/render";
import { objectiveOf } from "../../compiler/objectives";
import { buildPlan, type Plan } from "../../compiler/plan/plan";
import { specHash } from "../../compiler/spec/load";
import type { Spec } from "../../compiler/spec/spec";
import { castsOfStep } from "../../compiler/step/casts";
import type { Trace } from "../../runtime/replay/trace";
import { specOfTrace } from "./spec";

/** What main.ts of a compiled replay starts: a function of a module of runtime/replay. */
const entries = {
  replay: { module: "replay", starts: "replay" },
  record: { module: "record-step", starts: "recordStep" },
} as const;

export interface CompiledReplay {
  readonly plan: Plan;
  /** experiment, features, parameters, step and trees as a trainer has them; observe, observe-mse. */
  readonly typescript: readonly GeneratedCode[];
  /** step.ts as the compiler writes it, whichever goes through the trace. */
  readonly ownStep: string;
  /** These, and main, which starts the replay. */
  readonly files: readonly GeneratedFile[];
}

/** What a run trains, with functions that show what its step computes, and a start that records one of its steps. */
export function compileRecorder(spec: Spec, settings: readonly string[]): CompiledReplay {
  const plan = buildPlan({ spec, settings, specHash: specHash(spec), generatorVersion: packageVersion() });
  return observed(plan, "record");
}

export interface ReplayCode {
  /** With other hardware than the default, the generated step is one for that; of several devices each is a rank of the trace. */
  readonly hardware?: Partial<Spec["hardware"]> | undefined;
  /** step.ts of a trainer, and what it imports, in the place of the compiler's own. */
  readonly step?: readonly GeneratedCode[] | undefined;
}

export function compileReplay(trace: Trace, { hardware = {}, step }: ReplayCode = {}): CompiledReplay {
  const own = specOfTrace(trace, hardware.gpus);
  const spec: Spec = { ...own, hardware: { ...own.hardware, ...hardware } };
  const { recorded } = objectiveOf(spec.objective);
  const hash = specHash(spec);
  const plan = buildPlan({
    spec,
    specHash: hash,
    generatorVersion: packageVersion(),
    pixels: step !== undefined && takesBytes(step) ? "u8" : "f32",
    masks: recorded.masks(trace),
  });
  return observed(plan, "replay", step);
}

function observed(plan: Plan, entry: keyof typeof entries, step: readonly GeneratedCode[] = []): CompiledReplay {
  const trainer = buildTrainer(plan);
  const { recorded } = objectiveOf(plan.experiment.objective);
  const lossOf = (model: Plan["model"]) => buildTrainer({ ...plan, model }).model.loss;
  const withSmoothL1 = recorded.withSmoothL1(plan.model);
  const withMse = recorded.withMse(plan.model);
  const imports = ["step.ts"];
  const own = emitTypeScript(trainer);
  const given = new Set(["main.ts", ...step.map(({ name }) => name)]);
  const observing = (name: string, text: string) => standingForItself({ name, text, imports });
  const typescript = [
    ...own.filter(({ name }) => !given.has(name)),
    ...step,
    observing("observe.ts", emitObserve(trainer, withSmoothL1 === null ? undefined : lossOf(withSmoothL1))),
    ...(withMse === null ? [] : [observing("observe-mse.ts", emitObserve(trainer, lossOf(withMse)))]),
  ];
  const main = render("replay.ts", {
    ...functionsText(trainer),
    sizes: sizesText(trainer),
    withMse: withMse !== null,
    casts: castsOfStep(trainer.model),
    ...entries[entry],
  });
  return {
    plan,
    typescript,
    ownStep: own.find(({ name }) => name === "step.ts")?.text ?? "",
    files: [...typescript, { name: "main.ts", text: main }],
  };
}

/** Whether it takes images as bytes, as trainers do; a recording's own step takes numbers. */
function takesBytes(step: readonly GeneratedCode[]): boolean {
  return step.some(({ text }) => /\.normalizePixels\(/.test(text));
}
