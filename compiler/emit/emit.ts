/** The files of a trainer, as text. */
import type { Plan } from "../plan/plan";
import type { Trainer } from "../step/step";
import { source } from "./constants";
import { withHeader } from "./header";
import { comment, literal } from "./names";
import { render } from "./render";
import { emitFeatures, emitStep, varying } from "./step";
import { emitTrees } from "./trees";

export interface GeneratedFile {
  /** Name in the trainer's folder, e.g. `step.ts`. */
  readonly name: string;
  readonly text: string;
}

function emitParameters(plan: Plan): string {
  const { std, patchStd, depthRescale } = plan.init;
  const { encoder, predictor } = plan.experiment;
  const pixels = plan.model.targetSpace === "pixels";
  return render("parameters.ts", {
    std,
    patchStd,
    lastStd: depthRescale ? `${std} / Math.sqrt(2 * (i + 1))` : std,
    patch: plan.model.patch,
    encoderDepth: encoder.depth,
    predictorDepth: predictor.depth,
    outputWidth: pixels ? "V" : "D",
  });
}

function emitExperiment(plan: Plan): string {
  return render("experiment.ts", { description: comment(plan.description), experiment: source(plan.experiment) });
}

/** The functions of a trainer as main.ts hands them over. */
export function functionsText({ model, step }: Trainer): object {
  const lengths = varying(model.dims.lengths);
  // The step is checked for all lengths at once; the trainer runs it for each.
  const anyLengths = lengths.length === 0 ? "" : `<${lengths.map(() => "number").join(", ")}>`;
  const functions = step.functions.map(({ name, every, reads, takes }) => ({
    name,
    quoted: literal(name),
    typed: takes.includes("batch") ? `${name}${anyLengths}` : name,
    every: literal(every),
    reads: reads.map(literal).join(", "),
    takes: takes.join(", "),
  }));
  return {
    functions,
    names: functions.map(({ name }) => name).join(", "),
    lengths: lengths.map(({ name }) => literal(name)).join(", "),
    anyLengths,
  };
}

function emitMain(trainer: Trainer): string {
  return render("main.ts", { ...functionsText(trainer), starts: "ijepa/runtime/trainer", engine: trainer.plan.experiment.hardware.engine });
}

/** TypeScript of the trainer, sorted by name. */
export function emitTypeScript(trainer: Trainer): readonly GeneratedFile[] {
  const { plan, step } = trainer;
  const bodies: Readonly<Record<string, string>> = {
    "experiment.ts": emitExperiment(plan),
    "features.ts": emitFeatures(trainer),
    "main.ts": emitMain(trainer),
    "parameters.ts": emitParameters(plan),
    "step.ts": emitStep(trainer),
    "trees.ts": emitTrees(step, plan.experiment.encoder.depth),
  };
  return Object.entries(bodies).map(([name, body]) => ({ name, text: withHeader(plan, body) }));
}
