/** The files of a trainer, as text. */
import type { Program } from "../optimise/index";
import type { Plan } from "../plan/plan";
import { source } from "./constants";
import { withHeader } from "./header";
import { comment, literal } from "./names";
import { render } from "./render";
import { emitFeatures, emitStep, tidy } from "./step";

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

function emitMain({ dims }: Program, plan: Plan): string {
  const lengths = [dims.context, dims.target, dims.sequence, dims.allTargets].filter((dim) => dim.varies);
  return render("main.ts", {
    lengths: lengths.map(({ name }) => literal(name)).join(", "),
    engine: plan.experiment.hardware.engine,
    accumulates: plan.experiment.optimiser.accumulation > 1,
    // The step is checked for all lengths at once; the trainer runs it for each.
    anyLengths: lengths.length === 0 ? "" : `<${lengths.map(() => "number").join(", ")}>`,
  });
}

/** TypeScript of the trainer, sorted by name. */
export function emitTypeScript(program: Program, plan: Plan): readonly GeneratedFile[] {
  const bodies: Readonly<Record<string, string>> = {
    "experiment.ts": emitExperiment(plan),
    "features.ts": emitFeatures(program, plan),
    "main.ts": emitMain(program, plan),
    "parameters.ts": emitParameters(plan),
    "step.ts": emitStep(program, plan),
  };
  return Object.entries(bodies).map(([name, body]) => ({ name, text: withHeader(plan, tidy(body)) }));
}
