/** A step of a run as a program that repeats and records it: the run's spec, found and checked, then compiled. */
import type { Spec } from "../../compiler/spec/spec";
import { replayOfEditedCode } from "../../runtime/errors";
import type { Experiment } from "../../runtime/experiment";
import { bundled } from "./bundle";
import { compileRecorder } from "./compile";
import { experimentOfRun, specOfRun } from "./spec-of-run";

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
  const loaded = specOfRun({ ...what, experiment });
  const { hardware, optimizer } = experiment;
  const spec = {
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
    // Of its own objective still: TypeScript makes a mixture of all of them of it.
  } as Spec;
  return { experiment, spec, settings: loaded.settings, dataRoot: loaded.dataRoot };
}

/** Plain node runs it with a RecordRequest. */
export function recorderBundle({ spec, settings }: RunToReplay): Promise<string> {
  return bundled(compileRecorder(spec, settings));
}
