/** A recorded run as a program: the trainer's own files, and beside them what a replay looks at. */

import { buildTrainer } from "../../compiler/build";
import { type GeneratedCode, type GeneratedFile, standingForItself } from "../../compiler/emit/code";
import { emitTypeScript, functionsText } from "../../compiler/emit/emit";
import { emitObserve } from "../../compiler/emit/observe";
import { packageVersion } from "../../compiler/emit/package-root";
import { render } from "../../compiler/emit/render";
import { buildPlan, type Plan } from "../../compiler/plan/plan";
import { specHash } from "../../compiler/spec/load";
import type { Spec } from "../../compiler/spec/spec";
import type { Trace } from "../../runtime/replay/trace";
import { masksOfTrace, specOfTrace } from "./spec";

export interface CompiledReplay {
  readonly plan: Plan;
  /** experiment, features, parameters, step and trees as a trainer has them; observe, observe-mse. */
  readonly typescript: readonly GeneratedCode[];
  /** These, and main, which starts the replay. */
  readonly files: readonly GeneratedFile[];
}

/** With other hardware than the default, the generated step is one for that; of several devices each is a rank of the trace. */
export function compileReplay(trace: Trace, hardware?: Spec["hardware"]): CompiledReplay {
  const recorded = specOfTrace(trace, hardware?.gpus);
  const spec = hardware === undefined ? recorded : { ...recorded, hardware };
  const hash = specHash(spec);
  const plan = buildPlan({
    spec,
    specHash: hash,
    generatorVersion: packageVersion(),
    pixels: "f32",
    masks: masksOfTrace(trace),
  });
  const trainer = buildTrainer(plan);
  const { loss } = buildTrainer({ ...plan, model: { ...plan.model, loss: "mse" } }).model;
  const mse = { ...trainer, model: { ...trainer.model, loss } };
  const imports = ["step.ts"];
  const typescript = [
    ...emitTypeScript(trainer).filter(({ name }) => name !== "main.ts"),
    standingForItself({ name: "observe.ts", text: emitObserve({ trainer, loss: "smoothL1" }), imports }),
    standingForItself({ name: "observe-mse.ts", text: emitObserve({ trainer: mse, loss: "mse" }), imports }),
  ];
  return {
    plan,
    typescript,
    files: [...typescript, { name: "main.ts", text: render("replay.ts", functionsText(trainer)) }],
  };
}
