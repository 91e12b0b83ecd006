/** A step of a run as a program that repeats and records it: the run's spec, found and checked, then compiled. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { loadSpec, trainingHash } from "../../compiler/spec/load";
import type { Spec } from "../../compiler/spec/spec";
import {
  replayOfEditedCode,
  specOfAnotherRun,
  specOfRunMissing,
  traceNotUnderstood,
  UserError,
} from "../../runtime/errors";
import type { Experiment } from "../../runtime/experiment";
import { dataRootOf } from "../../runtime/loop/data-root";
import { runFiles } from "../../runtime/loop/run-folder";
import { SpecRefused } from "../evaluate/source";
import { experimentOf } from "../export/experiment";
import { bundled } from "./bundle";
import { compileRecorder } from "./compile";

export interface RunToReplay {
  readonly experiment: Experiment;
  /** As it was trained, but by one device: its ranks are micro-batches. */
  readonly spec: Spec;
  readonly settings: readonly string[];
  /** Folder that relative paths of the data start from. */
  readonly dataRoot: string;
}

/** Throws R165 to R167, R141 where the folder is no run, SpecRefused where the spec is wrong. */
export function openRunToReplay(what: {
  readonly run: string;
  readonly spec: string | null;
  readonly settings: readonly string[];
}): RunToReplay {
  const { run } = what;
  const experiment = experimentOfRun(run);
  if (experiment.editedCode !== undefined) throw replayOfEditedCode({ run });
  const settings = what.settings.length > 0 ? what.settings : (experiment.settings ?? []);
  const file = what.spec ?? specBeside(experiment.name, run);
  const loaded = loadSpec(file, { settings });
  if (!loaded.ok) throw new SpecRefused(loaded.diagnostics);
  if (trainingHash(loaded.spec) !== experiment.trainingHash) throw specOfAnotherRun({ run, spec: file });
  const { hardware, optimizer } = experiment;
  if (loaded.spec.objective !== "ijepa") {
    throw traceNotUnderstood({ path: run, why: `steps of ${loaded.spec.objective} are not recorded yet` });
  }
  if (loaded.spec.maskSets > 1) {
    throw traceNotUnderstood({
      path: run,
      why: `a recorded step has one set of masks, and maskSets is ${loaded.spec.maskSets}`,
    });
  }
  const spec: Spec = {
    ...loaded.spec,
    name: experiment.name,
    optimization: {
      ...loaded.spec.optimization,
      accumulation: optimizer.globalBatch / optimizer.deviceBatch,
    },
    hardware: {
      ...loaded.spec.hardware,
      ...{ engine: hardware.engine, device: hardware.device, precision: hardware.precision },
      ...{ gpus: 1, shardOptimizer: false },
    },
  };
  return { experiment, spec, settings, dataRoot: dirname(file) };
}

function experimentOfRun(run: string): Experiment {
  const path = join(run, runFiles.experiment);
  let text = "";
  try {
    text = readFileSync(path, "utf8");
  } catch {
    throw new UserError("R141", `${path} cannot be read: ${run} is no run folder, or a run that never began.`);
  }
  const read = experimentOf(text);
  if ("lacks" in read) throw new UserError("R141", `${path} cannot be read: it has no ${read.lacks}.`);
  return read.experiment;
}

/** A spec is named after its experiment, and lies where the trainer's data starts or among the experiments. */
function specBeside(name: string, run: string): string {
  const ofTrainer = dataRootOf(join("generated", name, "train.js"));
  const looked = [...new Set([ofTrainer, "experiments", "experiments/official", "."])].map((folder) =>
    join(folder, `${name}.json`),
  );
  const found = looked.find((path) => existsSync(path));
  if (found === undefined) throw specOfRunMissing({ run, looked });
  return found;
}

/** Plain node runs it with a RecordRequest. */
export function recorderBundle({ spec, settings }: RunToReplay): Promise<string> {
  return bundled(compileRecorder(spec, settings));
}
