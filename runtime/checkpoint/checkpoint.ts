/**
 * Checkpoints of a run: weights, targets and optimizer moments under their official names, as safetensors. All a run needs
 * to go on exactly as if it had not stopped is in the tensors, the step and the seed.
 */
import { stateNotFinite, tensorMissing } from "../errors";
import type { Experiment, Parameter } from "../experiment";
import { type CheckpointMetadata, checkSameSpec, metadataOf, type Progress, parseMetadata } from "./metadata";
import { fromOfficial, officialTensors, toOfficial } from "./official";
import { checkFloats, openSafetensors, readHeader, type TensorToWrite, writeSafetensors } from "./safetensors";

export { type CheckpointMetadata, harmlessFields, type Progress, runLengthFields } from "./metadata";

/** A frozen table that a checkpoint holds beside the state. */
export interface TableOfCheckpoint {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/**
 * Writes a checkpoint; it is whole or not there. State paths: `weights.encoder.…`, `weights.predictor.…`, `target.…`,
 * `m.…`, `v.…`. Throws stateNotFinite rather than replace a good checkpoint by a broken one.
 */
export async function saveCheckpoint(what: {
  readonly path: string;
  readonly experiment: Experiment;
  readonly parameters: readonly Parameter[];
  readonly read: (statePath: string) => Promise<Float32Array>;
  readonly tables: readonly TableOfCheckpoint[];
  /** Whether the state has a target encoder; true unless said otherwise. */
  readonly averages?: boolean;
  readonly progress: Progress;
}): Promise<void> {
  const { path, experiment, progress } = what;
  const state = officialTensors(what.parameters, what.averages).map(
    ({ name, shape, statePath, parameter }): TensorToWrite => ({
      name,
      dtype: "F32",
      shape,
      values: async () => {
        const values = await what.read(statePath);
        if (!isFinite32(values)) throw stateNotFinite({ path, tensor: name, step: progress.step });
        return toOfficial(parameter, values);
      },
    }),
  );
  const tables = what.tables.map(
    ({ name, shape, values }): TensorToWrite => ({ name, dtype: "F32", shape, values: () => values }),
  );
  await writeSafetensors(path, { metadata: metadataOf(experiment, progress), tensors: [...tables, ...state] });
}

export interface LoadedCheckpoint {
  readonly progress: Progress;
  readonly metadata: CheckpointMetadata;
  /** Differences to this trainer that are allowed, one per line, for the log. */
  readonly notes: readonly string[];
}

/**
 * Puts a checkpoint into the state of a trainer. Everything is checked before the first `write`: that it is whole, of this
 * spec (apart from `mayDiffer`, paths of the experiment such as runLengthFields), and has every tensor in its shape.
 */
export async function loadCheckpoint(what: {
  readonly path: string;
  readonly experiment: Experiment;
  readonly parameters: readonly Parameter[];
  readonly write: (statePath: string, values: Float32Array) => Promise<void>;
  readonly mayDiffer?: readonly string[];
  /** As in saveCheckpoint. */
  readonly averages?: boolean;
}): Promise<LoadedCheckpoint> {
  const { path, experiment } = what;
  const file = await openSafetensors(path);
  try {
    const metadata = parseMetadata(path, file.header.metadata);
    const notes = checkSameSpec(path, metadata, experiment, what.mayDiffer ?? []);
    const tensors = officialTensors(what.parameters, what.averages);
    const missing = tensors.filter(({ name }) => !file.header.tensors.has(name));
    const first = missing[0];
    if (first !== undefined) {
      throw tensorMissing({ path, tensor: first.name, missing: missing.length, wanted: tensors.length });
    }
    for (const { name, shape } of tensors) {
      const entry = file.header.tensors.get(name);
      if (entry !== undefined) checkFloats(path, name, entry, shape);
    }
    for (const { name, shape, statePath, parameter } of tensors) {
      await what.write(statePath, fromOfficial(parameter, await file.readFloats(name, shape)));
    }
    return { progress: metadata.progress, metadata, notes };
  } finally {
    await file.close();
  }
}

/** What a checkpoint says about itself, without reading its tensors. */
export async function readCheckpointMetadata(path: string): Promise<CheckpointMetadata> {
  return parseMetadata(path, (await readHeader(path)).metadata);
}

/** One NaN or infinity makes 0·x NaN, and the sum with it. */
function isFinite32(values: Float32Array): boolean {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += 0 * (values[i] ?? 0);
  return sum === 0;
}
