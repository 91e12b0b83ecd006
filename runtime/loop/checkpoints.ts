/** The checkpoints of one run: where it goes on from, and what is saved while it runs. */
import { statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import {
  type LoadedCheckpoint,
  loadCheckpoint,
  saveCheckpoint,
  type TableOfCheckpoint,
} from "../checkpoint/checkpoint";
import {
  keepLatest,
  latestOfOthers,
  latestPath,
  listCheckpoints,
  numberedCopies,
  removeCopies,
  resumeNewest,
} from "../checkpoint/folder";
import { officialTensors } from "../checkpoint/official";
import type { TrainerFlags } from "../cli";
import type { StateStore } from "../engines/engine";
import { checkpointNotFound, nothingToResume, runExists, runOfAnother } from "../errors";
import type { TrainerProgram } from "../experiment";
import { constantsOf } from "./functions";
import { surplusCopies } from "./keeping";
import { averages, writeInitialState, writeZeroGradients } from "./state";
import type { WholeState } from "./whole-state";

export interface Position {
  readonly stepsDone: number;
  /** Mean loss of the epoch under way; NaN where it has no step yet. */
  readonly epochLoss: number;
}

export interface StartingPoint extends Position {
  /** The checkpoint that was loaded; null for a new run. */
  readonly checkpoint: { readonly path: string; readonly step: number } | null;
  /** Lines for the person at the terminal. */
  readonly notes: readonly string[];
}

/** Fills the store: from a checkpoint where the flags ask for one, else with the state of step 0. */
export async function startState(what: {
  readonly program: TrainerProgram;
  readonly flags: TrainerFlags;
  readonly store: StateStore;
  readonly state: WholeState;
}): Promise<StartingPoint> {
  const { program, flags, store, state } = what;
  const { experiment, parameters } = program;
  const resume = flags.resume;
  const begin = async (): Promise<StartingPoint> => {
    await writeInitialState(store, parameters, experiment.seed);
    const notes = flags.initFrom === null ? [] : await writeWeightsOf(flags.initFrom, program, store);
    return { stepsDone: 0, epochLoss: Number.NaN, checkpoint: null, notes };
  };
  if (resume.from === "nothing") {
    await refuseExistingRun(program, flags.runDirectory);
    return begin();
  }
  const notes: string[] = [];
  const load = {
    experiment,
    parameters,
    averages: averages(program),
    write: state.write,
  };
  const newestIn = (directory: string): Promise<(LoadedCheckpoint & { readonly path: string }) | null> =>
    resumeNewest({ ...load, directory, name: experiment.name, warn: (line) => notes.push(line) });

  const loaded = resume.from === "path" ? await named(resume.path) : await newestIn(flags.runDirectory);
  if (loaded === null) await refuseExistingRun(program, flags.runDirectory);
  if (loaded === null && resume.from === "auto") return begin();
  if (loaded === null) throw nothingToResume({ directory: flags.runDirectory });
  await writeZeroGradients(store);
  const { step, loss } = loaded.progress;
  return {
    stepsDone: step,
    epochLoss: loss,
    checkpoint: { path: loaded.path, step },
    notes: [...notes, ...loaded.notes],
  };

  async function named(path: string): Promise<(LoadedCheckpoint & { readonly path: string }) | null> {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) throw checkpointNotFound({ path });
    const folder = found.isDirectory() ? path : dirname(path);
    // A fork of another run must not write over one that is already here.
    if (resolve(folder) !== resolve(flags.runDirectory)) await refuseExistingRun(program, flags.runDirectory);
    return found.isDirectory() ? await newestIn(path) : { ...(await loadCheckpoint({ ...load, path })), path };
  }
}

/** The fixed tables that a checkpoint holds. */
export function tablesOf(program: TrainerProgram): readonly TableOfCheckpoint[] {
  const constants = constantsOf(program);
  return program.objective.positions(program.experiment).map(({ name, shape, constant }) => {
    const values = constants[constant];
    if (values === undefined) throw new Error(`internal: there is no constant ${constant}`);
    return { name, shape, values };
  });
}

/** Puts the weights of another run in place of the drawn ones; gives lines for the log. */
async function writeWeightsOf(path: string, program: TrainerProgram, store: StateStore): Promise<readonly string[]> {
  // Loaded here: few runs need the reader of PyTorch files.
  const { loadWeights } = await import("../checkpoint/weights");
  const { notes } = await loadWeights({
    path,
    parameters: program.parameters,
    objective: program.experiment.objective,
    averages: averages(program),
    positions: tablesOf(program),
    write: (statePath, values) => store.write(statePath, values),
  });
  return [`beginning with the weights of ${path}`, ...notes];
}

async function refuseExistingRun({ experiment }: TrainerProgram, directory: string): Promise<void> {
  const [newest] = await listCheckpoints(directory, experiment.name);
  if (newest === undefined) {
    const [checkpoint] = await latestOfOthers(directory, experiment.name);
    if (checkpoint !== undefined) throw runOfAnother({ directory, checkpoint });
    return;
  }
  const step = newest.metadata?.progress.step ?? null;
  throw runExists({ directory, step, steps: experiment.schedule.steps });
}

export interface RunCheckpoints {
  /** Replaces the newest checkpoint; gives its path. */
  save(at: Position): Promise<string>;
  /** Keeps the newest checkpoint under the number of its epoch, or as the best; gives the path of the copy. */
  keep(as: number | "best"): Promise<string>;
  /** Removes the copies that the experiment does not keep any longer after `epoch`. */
  prune(epoch: number): Promise<void>;
  /** The newest good one. */
  last(): { readonly path: string; readonly step: number } | null;
}

export function openCheckpoints(what: {
  readonly program: TrainerProgram;
  readonly directory: string;
  readonly state: WholeState;
  readonly tables: readonly TableOfCheckpoint[];
  readonly from: StartingPoint;
}): RunCheckpoints {
  const { experiment, parameters } = what.program;
  const path = latestPath(what.directory, experiment.name);
  let last = what.from.checkpoint;
  return {
    save: async ({ stepsDone, epochLoss }) => {
      const epoch = Math.floor(stepsDone / experiment.optimizer.stepsPerEpoch);
      await saveCheckpoint({
        path,
        experiment,
        parameters,
        read: what.state.read,
        tables: what.tables,
        averages: averages(what.program),
        progress: { step: stepsDone, epoch, loss: epochLoss },
      });
      last = { path, step: stepsDone };
      return path;
    },
    keep: (as) => keepLatest({ directory: what.directory, name: experiment.name, as }),
    prune: async (epoch) => {
      const copies = await numberedCopies(what.directory, experiment.name);
      await removeCopies(what.directory, experiment.name, surplusCopies(experiment.log, copies, epoch));
    },
    last: () => last,
  };
}

/**
 * The checkpoints that rank 0 writes, as the other ranks know them: they remember which there are, and write none. Of what
 * is sharded they give theirs, in the order in which rank 0 writes it.
 */
export function followCheckpoints(what: {
  readonly program: TrainerProgram;
  readonly directory: string;
  readonly state: WholeState;
  readonly from: StartingPoint;
}): RunCheckpoints {
  const path = latestPath(what.directory, what.program.experiment.name);
  const sharded = officialTensors(what.program.parameters, averages(what.program)).filter(({ statePath }) =>
    what.state.isSharded(statePath),
  );
  let last = what.from.checkpoint;
  return {
    save: async ({ stepsDone }) => {
      for (const { statePath } of sharded) await what.state.read(statePath);
      last = { path, step: stepsDone };
      return path;
    },
    keep: async () => path,
    prune: async () => {},
    last: () => last,
  };
}
