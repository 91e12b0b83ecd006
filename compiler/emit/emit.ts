/** The files of a trainer, as text. */
import type { Plan } from "../plan/plan";
import type { Trainer } from "../step/step";
import type { GeneratedCode } from "./code";
import { source } from "./constants";
import { withHeader } from "./header";
import { comment, literal } from "./names";
import { asPlanned, type EmitSettings, type Numbers, standingIn } from "./numbers";
import { render } from "./render";
import { emitFeatures, emitStep, featureInputs, varying } from "./step";
import { emitTrees } from "./trees";
import { anySize } from "./types";

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

function emitExperiment({ description, experiment }: Plan, numbers: Numbers): string {
  return render("experiment.ts", {
    description: comment(numbers.remark(description)),
    experiment: source(numbers.constants(experiment)),
  });
}

/** The functions of a trainer as main.ts hands them over. */
export function functionsText({ model, step }: Trainer): object {
  const lengths = varying(model.dims.lengths);
  // The step is checked for all lengths at once; the trainer runs it for each.
  const anyLengths = lengths.length === 0 ? "" : `<${lengths.map(anySize).join(", ")}>`;
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
    featureInputs: featureInputs(model)
      .map(({ tree, path }) => `${path}: ${tree}.${path}`)
      .join(", "),
    sizeTypes: ["Sum", "Times"].filter((name) => anyLengths.includes(`${name}<`)).join(", "),
  };
}

function emitMain(trainer: Trainer, { starts }: EmitSettings): string {
  const fixed = [trainer.model.dims.context, trainer.model.dims.target].filter(({ varies }) => !varies);
  const sizes = ["B", "N", "V", "D", "H", "F", "P", "PH", "PF", ...fixed.map(({ name }) => name)].join(", ");
  return render("main.ts", {
    ...functionsText(trainer),
    sizes,
    starts,
    engine: trainer.plan.experiment.hardware.engine,
  });
}

type CodeName = `${"experiment" | "features" | "main" | "parameters" | "step" | "trees"}.ts`;

interface Emitter {
  readonly imports: readonly CodeName[];
  readonly body: (trainer: Trainer, settings: EmitSettings) => string;
}

/** Sorted by name. */
const emitters: { readonly [K in CodeName]: Emitter } = {
  "experiment.ts": { imports: [], body: ({ plan }, { numbers }) => emitExperiment(plan, numbers) },
  "features.ts": { imports: ["step.ts"], body: emitFeatures },
  "main.ts": { imports: ["experiment.ts", "features.ts", "parameters.ts", "step.ts", "trees.ts"], body: emitMain },
  "parameters.ts": { imports: ["step.ts"], body: ({ plan }) => emitParameters(plan) },
  "step.ts": { imports: [], body: emitStep },
  "trees.ts": { imports: ["step.ts"], body: ({ plan, step }) => emitTrees(step, plan.experiment.encoder.depth) },
};

/** TypeScript of the trainer, sorted by name. Another module than the trainer's has a `train` of its own to start. */
export function emitTypeScript(trainer: Trainer, starts = "ijepa/runtime/trainer"): readonly GeneratedCode[] {
  return Object.entries(emitters).map(([name, { imports, body }]) => ({
    name,
    imports,
    text: withHeader(trainer.plan, body(trainer, { numbers: asPlanned, starts })),
    standIn: () => body(trainer, { numbers: standingIn, starts }),
  }));
}
