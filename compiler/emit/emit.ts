/** The files of a trainer, as text. */
import type { Plan } from "../plan/plan";
import type { Trainer } from "../step/step";
import type { GeneratedCode } from "./code";
import { source } from "./constants";
import { withHeader } from "./header";
import { docComment, listed } from "./layout";
import { comment, literal } from "./names";
import { emitParameters } from "./networks";
import { asPlanned, type EmitSettings, type Numbers, standingIn } from "./numbers";
import { render } from "./render";
import { emitFeatures, emitStep, featureInputs, varying } from "./step";
import { emitTrees } from "./trees";
import { anySize } from "./types";

function emitExperiment({ description, experiment }: Plan, numbers: Numbers): string {
  return render("experiment.ts", {
    description: description === "" ? "" : docComment(comment(numbers.remark(description))),
    experiment: source(numbers.constants(experiment)),
  });
}

/** The functions of a trainer as main.ts hands them over. */
export function functionsText({ plan, model, step }: Trainer): object {
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
    featureInputs: listed(
      "{ ",
      featureInputs(model).map(({ tree, path }) => `${path}: ${tree}.${path}`),
      " }",
      "    ",
    ),
    objective: plan.model.objective,
    featureReads: literal(model.features.weights),
    observeReads: (model.averages ? ["weights", "target"] : ["weights"]).map(literal).join(", "),
    sizeTypes: ["Sum", "Times"].filter((name) => anyLengths.includes(`${name}<`)).join(", "),
  };
}

/** The sizes of step.ts that are numbers of their own, which experiment.ts has too (runtime/step/agree.ts). */
export function sizesText({ model: { dims } }: Trainer): string {
  const own = dims.all.filter(({ varies, of }) => !varies && of === undefined);
  return own.map(({ name }) => name).join(", ");
}

function emitMain(trainer: Trainer, { starts }: EmitSettings): string {
  return render("main.ts", {
    ...functionsText(trainer),
    sizes: sizesText(trainer),
    starts,
    engine: trainer.plan.experiment.hardware.engine,
  });
}

type CodeName = `${"experiment" | "features" | "main" | "parameters" | "step" | "trees"}.ts`;

interface Emitter {
  readonly imports: readonly string[];
  readonly body: (trainer: Trainer, settings: EmitSettings) => string;
}

/** Sorted by name. */
const emitters: { readonly [K in CodeName]: Emitter } = {
  "experiment.ts": { imports: [], body: ({ plan }, { numbers }) => emitExperiment(plan, numbers) },
  "features.ts": { imports: ["step.ts"], body: emitFeatures },
  "main.ts": { imports: ["experiment.ts", "features.ts", "parameters.ts", "step.ts", "trees.ts"], body: emitMain },
  "parameters.ts": { imports: ["step.ts"], body: emitParameters },
  "step.ts": { imports: [], body: emitStep },
  "trees.ts": { imports: ["step.ts"], body: ({ plan, step }) => emitTrees(step, plan.experiment.encoder.depth) },
};

/** TypeScript of the trainer, sorted by name. Another module than the trainer's has a `train` of its own to start. */
export function emitTypeScript(trainer: Trainer, starts = "ijepa/runtime/trainer"): readonly GeneratedCode[] {
  return Object.entries(emitters).map(([name, emitter]) => emitted(trainer, { name, ...emitter, starts }));
}

interface ToEmit extends Emitter {
  readonly name: string;
  readonly starts: string;
  readonly howMade?: string;
}

const emitted = (trainer: Trainer, { name, imports, body, starts, howMade }: ToEmit): GeneratedCode => ({
  name,
  imports,
  text: withHeader(trainer.plan, body(trainer, { numbers: asPlanned, starts }), howMade),
  standIn: () => body(trainer, { numbers: standingIn, starts }),
});

/** What trains a decoder of frozen features (objective.ts): no features to probe, and a start of its own. */
export function emitDecoder(trainer: Trainer): readonly GeneratedCode[] {
  const names = ["experiment.ts", "parameters.ts", "step.ts", "trees.ts"] as const;
  const main: Emitter = { imports: names, body: () => render("decoder.ts", functionsText(trainer)) };
  const files = [...names.map((name) => ({ name, ...emitters[name] })), { name: "main.ts", ...main }];
  const howMade = "`ijepa decode` has written it, and run it to train the decoder beside it.";
  return files.map((file) => emitted(trainer, { ...file, starts: "", howMade }));
}
