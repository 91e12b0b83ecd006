/** What a checkpoint says about itself: strings in the header, so that one can read them without loading a tensor. */
import { checkpointOfOtherCode, checkpointOfOtherSpec, notACheckpoint } from "../errors";
import type { Experiment } from "../experiment";

/** How far a run is. With the seed this is also the position of all randomness, which is counted, not drawn. */
export interface Progress {
  /** Optimizer steps done. */
  readonly step: number;
  /** Whole epochs done. */
  readonly epoch: number;
  /** Mean loss of the last steps, for the reader; NaN where there was none yet. */
  readonly loss: number;
}

export interface CheckpointMetadata {
  /** Version of ijepa that generated the trainer which wrote the file. */
  readonly generatorVersion: string;
  readonly specHash: string;
  /** sha256 of the code of a trainer that was edited by hand; null of any other. */
  readonly editedCode: string | null;
  readonly name: string;
  readonly seed: number;
  readonly progress: Progress;
  /** The constants of the experiment that wrote it, by path, e.g. `encoder.dim` → `96`. */
  readonly constants: ReadonlyMap<string, string>;
}

/** Constants that do not change what is computed, by path; all below a path counts. */
export const harmlessFields: readonly string[] = [
  "name",
  "settings",
  "generatorVersion",
  "data.trainPath",
  "data.validationPath",
  "evaluation",
  "hardware",
  "log",
  "runDirectory",
];

/** Constants that say how long a run is, for a trainer that lets a longer run go on from a shorter one. */
export const runLengthFields: readonly string[] = [
  "optimizer.epochs",
  "schedule.steps",
  "schedule.curveSteps",
  "schedule.momentumSteps",
];

export function metadataOf(experiment: Experiment, progress: Progress): Readonly<Record<string, string>> {
  return {
    // What PyTorch's own loaders look for.
    format: "pt",
    ijepa_version: experiment.generatorVersion,
    spec_hash: experiment.specHash,
    ...(experiment.editedCode === undefined ? {} : { edited_code: experiment.editedCode }),
    name: experiment.name,
    step: String(progress.step),
    epoch: String(progress.epoch),
    loss: String(progress.loss),
    seed: String(experiment.seed),
    experiment: JSON.stringify(experiment),
  };
}

/** Throws notACheckpoint where a field is missing or is no number. */
export function parseMetadata(path: string, metadata: ReadonlyMap<string, string>): CheckpointMetadata {
  const text = (key: string): string => {
    const value = metadata.get(key);
    if (value === undefined) throw notACheckpoint({ path, why: `its metadata has no ${key}` });
    return value;
  };
  const count = (key: string): number => {
    const value = Number(text(key));
    if (text(key).trim() !== "" && Number.isSafeInteger(value) && value >= 0) return value;
    throw notACheckpoint({ path, why: `its metadata has the ${key} ${JSON.stringify(text(key).slice(0, 40))}` });
  };
  const parsed: CheckpointMetadata = {
    generatorVersion: text("ijepa_version"),
    specHash: text("spec_hash"),
    editedCode: metadata.get("edited_code") ?? null,
    name: text("name"),
    seed: count("seed"),
    progress: { step: count("step"), epoch: count("epoch"), loss: Number(text("loss")) },
    constants: constantsOf(metadata.get("experiment") ?? ""),
  };
  const impossible = contradiction(parsed);
  if (impossible !== null) throw notACheckpoint({ path, why: `its metadata says ${impossible}` });
  return parsed;
}

/** What cannot be true of a run of the recorded experiment; null where all can. */
function contradiction({ progress: { step, epoch }, constants }: CheckpointMetadata): string | null {
  const recorded = (path: string): number => Number(constants.get(path) ?? Number.NaN);
  const steps = recorded("schedule.steps");
  const stepsPerEpoch = recorded("optimizer.stepsPerEpoch");
  if (step > steps) return `step ${step}, of a run of ${steps} steps`;
  if (stepsPerEpoch > 0 && epoch !== Math.floor(step / stepsPerEpoch)) {
    return `step ${step} and ${epoch} epochs, of a run with ${stepsPerEpoch} steps an epoch`;
  }
  return null;
}

const hashFields: ReadonlySet<string> = new Set(["specHash", "trainingHash", "editedCode"]);

const shortened = (text: string): string => (text.length > 60 ? `${text.slice(0, 57)}…` : text);

/**
 * Throws checkpointOfOtherSpec where the checkpoint comes from another spec, by its hash; one that only runs on other
 * hardware, on more or fewer devices or in more or fewer parts is no other (trainingHash). With `mayDiffer` it is taken all the
 * same where the constants show what differs, and that is only in these and in harmless fields. The constants alone
 * never make two specs equal: the loss, for one, is in the code. Gives the differences, one per line.
 *
 * A trainer that was edited by hand goes on with what the same code wrote, and with nothing else: throws
 * checkpointOfOtherCode. Its constants can be edited too, so its spec does not speak for them.
 */
export function checkSameSpec(
  path: string,
  metadata: CheckpointMetadata,
  experiment: Experiment,
  mayDiffer: readonly string[],
): readonly string[] {
  const code = experiment.editedCode ?? null;
  if (metadata.editedCode !== code) throw checkpointOfOtherCode({ path, found: metadata.editedCode, wanted: code });
  const here = constantsOf(JSON.stringify(experiment));
  const there = metadata.constants;
  // Without recorded constants the hash is all there is.
  const paths = there.size === 0 ? [] : [...new Set([...there.keys(), ...here.keys()])];
  const differing = paths.filter((field) => !hashFields.has(field) && there.get(field) !== here.get(field));
  const shown = (of: ReadonlyMap<string, string>, field: string): string => shortened(of.get(field) ?? "nothing");
  const differences = differing.map(
    (field) => `${field}: ${shown(there, field)} in the checkpoint, ${shown(here, field)} here`,
  );
  const isOneOf = (fields: readonly string[], field: string): boolean =>
    fields.some((allowed) => field === allowed || field.startsWith(`${allowed}.`));
  const isAsCompiled = code === null || differing.every((field) => isOneOf(harmlessFields, field));
  const isSameTraining = there.get("trainingHash") === here.get("trainingHash");
  const isSameSpec = metadata.specHash === experiment.specHash || (there.has("trainingHash") && isSameTraining);
  if (isSameSpec && isAsCompiled) return differences;
  const isAllowed =
    differing.some((field) => isOneOf(mayDiffer, field)) &&
    differing.every((field) => isOneOf([...mayDiffer, ...harmlessFields], field));
  if (isAllowed) return differences;
  throw checkpointOfOtherSpec({ path, found: metadata.specHash, wanted: experiment.specHash, differences });
}

/** The leaves of an experiment by path; lists are leaves. Empty where the text is no experiment. */
function constantsOf(json: string): ReadonlyMap<string, string> {
  const constants = new Map<string, string>();
  const walk = (value: unknown, path: string): void => {
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      for (const [name, child] of Object.entries(value)) walk(child, path === "" ? name : `${path}.${name}`);
    } else if (path !== "") {
      const text = JSON.stringify(value) ?? "nothing";
      constants.set(path, text);
    }
  };
  try {
    walk(JSON.parse(json), "");
  } catch {
    return new Map();
  }
  return constants;
}
