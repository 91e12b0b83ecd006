/** A recorded run as a program: the trainer's own files, and beside them what a replay looks at. */

import { emitTypeScript, type GeneratedFile } from "../../compiler/emit/emit";
import { literal } from "../../compiler/emit/names";
import { packageVersion } from "../../compiler/emit/package-root";
import { emitProbe } from "../../compiler/emit/probe";
import { render } from "../../compiler/emit/render";
import { buildModel } from "../../compiler/model/chains";
import { optimise } from "../../compiler/optimise/index";
import { buildPlan, type Plan } from "../../compiler/plan/plan";
import { specHash } from "../../compiler/spec/load";
import type { Trace } from "../../runtime/replay/trace";
import { masksOfTrace, specOfTrace } from "./spec";

export interface CompiledReplay {
  readonly plan: Plan;
  /** experiment, features, parameters and step as a trainer has them; probe, probe-mse; main, which starts the replay. */
  readonly files: readonly GeneratedFile[];
}

export function compileReplay(trace: Trace): CompiledReplay {
  const spec = specOfTrace(trace);
  const hash = specHash(spec);
  const plan = buildPlan({ spec, specHash: hash, generatorVersion: packageVersion(), masks: masksOfTrace(trace) });
  const program = optimise(buildModel(plan.model));
  const { loss: mse } = optimise(buildModel({ ...plan.model, loss: "mse" }));
  const trainer = emitTypeScript(program, plan).filter(({ name }) => name !== "main.ts");
  const step = trainer.find(({ name }) => name === "step.ts")?.text ?? "";
  const { dims } = program;
  const lengths = [dims.context, dims.target, dims.sequence, dims.allTargets].filter((dim) => dim.varies);
  const main = render("replay.ts", {
    lengths: lengths.map(({ name }) => literal(name)).join(", "),
    accumulates: plan.experiment.optimiser.accumulation > 1,
    anyLengths: lengths.length === 0 ? "" : `<${lengths.map(() => "number").join(", ")}>`,
  });
  return {
    plan,
    files: [
      ...trainer,
      { name: "probe.ts", text: emitProbe({ program, plan, loss: "smoothL1", step }) },
      { name: "probe-mse.ts", text: emitProbe({ program: { ...program, loss: mse }, plan, loss: "mse", step }) },
      { name: "main.ts", text: main },
    ],
  };
}
