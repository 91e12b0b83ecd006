/** The spec that a run was trained from, which its folder does not hold: found, and checked to be the one. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { loadSpec, trainingHash } from "../../compiler/spec/load";
import type { Spec } from "../../compiler/spec/spec";
import { specOfAnotherRun, specOfRunMissing, UserError } from "../../runtime/errors";
import type { Experiment } from "../../runtime/experiment";
import { dataRootOf } from "../../runtime/loop/data-root";
import { runFiles } from "../../runtime/loop/run-folder";
import { SpecRefused } from "../evaluate/source";
import { experimentOf } from "../export/experiment";

export interface SpecOfRun {
  readonly spec: Spec;
  readonly settings: readonly string[];
  /** Folder that relative paths of the data start from. */
  readonly dataRoot: string;
}

/** `spec` null: it is looked for. Throws R165 and R166, SpecRefused where it is wrong. */
export function specOfRun(what: {
  readonly run: string;
  readonly experiment: Experiment;
  readonly spec: string | null;
  readonly settings: readonly string[];
}): SpecOfRun {
  const { run, experiment } = what;
  const settings = what.settings.length > 0 ? what.settings : (experiment.settings ?? []);
  const file = what.spec ?? specBeside(experiment.name, run);
  const loaded = loadSpec(file, { settings });
  if (!loaded.ok) throw new SpecRefused(loaded.diagnostics);
  if (trainingHash(loaded.spec) !== experiment.trainingHash) throw specOfAnotherRun({ run, spec: file });
  return { spec: loaded.spec, settings, dataRoot: dirname(file) };
}

/** Throws R141 where the folder is no run. */
export function experimentOfRun(run: string): Experiment {
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
