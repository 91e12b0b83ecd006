/** The real outside of a trainer: the engine, image files and rendered scenes, this process and its terminal. */
import type { LoadEngine } from "../contract";
import { type BadImage, countsOf } from "../data/bad-image";
import { type LabelledImages, openLabelledImages } from "../data/labelled";
import { imagesInTurn, openTrainingData } from "../data/training";
import type { LabelledSplit, SplitName } from "../evaluate/evaluate";
import type { Experiment } from "../experiment";
import { machineBytes } from "../machine-memory";
import { dataRootOf } from "./data-root";
import type { TrainerEnvironment } from "./environment";
import { evaluateRun } from "./evaluate-run";
import { manifestBeside } from "./manifest";

export interface NodeEnvironment extends TrainerEnvironment {
  /** Where relative data paths start, if no flag says otherwise. */
  readonly dataRoot: string;
}

export function nodeEnvironment(loadEngine: LoadEngine): NodeEnvironment {
  const [, started = "train.js", ...args] = process.argv;
  return {
    // Loaded here, so that neither --help nor the threads that prepare images wait for it.
    createEngine: async (options) => (await loadEngine()).createEngine(options),
    openImages: async (options) => {
      const { experiment, dataRoot, workers, fromStep, untilStep, note, badImage, place, devices, cores } = options;
      const workerFile = bundleFile();
      const data = await openTrainingData({
        experiment,
        root: dataRoot,
        workers,
        place,
        devices,
        cores,
        warn: note,
        badImage,
        ...(workerFile === null ? {} : { workerFile }),
      });
      const next = imagesInTurn(data, { fromStep, toStep: untilStep, devices });
      return {
        workers: data.workers,
        next,
        badImages: () => countsOf(data.badImages),
        names: data.names,
        close: () => data.close(),
      };
    },
    openEvaluation: async ({ dataRoot, ...options }) => {
      const labelled = await openLabelled(options.program.experiment, dataRoot, options.badImage);
      return labelled === null ? null : evaluateRun({ ...options, labelled });
    },
    machineBytes: machineBytes(),
    stepMemory: manifestBeside(bundleFile()).memory,
    stdout: process.stdout,
    stderr: process.stderr,
    // Not what was started, where that only names the trainer that was compiled last (generated/train.js).
    script: bundleFile() ?? started,
    args,
    variables: process.env,
    dataRoot: dataRootOf(bundleFile()),
  };
}

/** The bundle that runs: the file that threads are started from. Null where the trainer runs from its sources. */
function bundleFile(): string | null {
  return typeof __filename === "string" && __filename.endsWith(".js") ? __filename : null;
}

/** Null where there are no labels, or no images that training never sees. */
async function openLabelled(
  experiment: Experiment,
  root: string,
  badImage: (image: BadImage) => void,
): Promise<Readonly<Record<SplitName, LabelledSplit>> | null> {
  const { data, evaluation } = experiment;
  if (data.kind !== "shapes" && (!data.labels || (data.validationPath === null && data.holdOut === 0))) return null;
  const open = async (split: SplitName, limit: number): Promise<LabelledSplit> =>
    splitOf(await openLabelledImages({ experiment, root, split, limit, badImage }));
  const train = await open("train", evaluation.trainImages);
  // A flat folder has no classes.
  if (train.tasks.length === 0) return null;
  return {
    train,
    validation: await open("validation", evaluation.testImages),
    test: await open("test", evaluation.testImages),
  };
}

function splitOf(images: LabelledImages): LabelledSplit {
  return { ...images, tasks: images.tasks.map(({ name, classes }) => ({ name, classes: classes.length })) };
}
