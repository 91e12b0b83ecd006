/** The flags of a generated trainer. They name places and cadences; whatever changes code belongs in the experiment. */
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import type { Experiment } from "./experiment";
import { addressProblem, addressWanted } from "./loggers/address";
import type { LoggerSettings } from "./loggers/logger";
import { type Floor, parseFloor } from "./report/floor";

export interface TrainerFlags {
  /** Folder that relative data paths start from. */
  readonly dataRoot: string;
  readonly runDirectory: string;
  /**
   * Where to go on from: nothing (a new run), the run's newest checkpoint, the same or else nothing (for whoever starts
   * the same command again and again, as schedulers do), or a named one.
   */
  readonly resume:
    | { readonly from: "nothing" }
    | { readonly from: "latest" }
    | { readonly from: "auto" }
    | { readonly from: "path"; readonly path: string };
  /** A file with the weights to begin with, or null; a new run all the same. */
  readonly initFrom: string | null;
  /** Optimizer steps after which to stop, counted from the beginning of the run; null = all of them. */
  readonly stopAtStep: number | null;
  /** The run ends after an epoch at which one of these does not hold. */
  readonly floors: readonly Floor[];
  readonly logEverySteps: number;
  /** The person asked for this cadence; otherwise printed lines are also kept to about one in a second. */
  readonly logEveryGiven: boolean;
  /** Programs that show the run. */
  readonly loggers: LoggerSettings;
  /** Threads of the engine; 0 = as many as there are cores. */
  readonly threads: number;
  /** Threads that prepare images; 0 = chosen by the trainer. */
  readonly workers: number;
  /** The plugin of engine xla, or null: looked for. */
  readonly pjrtPlugin: string | null;
  /** A bar where the output is a terminal. */
  readonly progress: boolean;
  /** Nothing but errors. */
  readonly quiet: boolean;
}

/** What the command line asks for: a run, or a text on one of the two streams and an exit code. */
export type CommandLine =
  | { readonly kind: "run"; readonly flags: TrainerFlags }
  | { readonly kind: "text"; readonly text: string; readonly exitCode: 0 | 2 };

function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  const wanted = most === Number.MAX_SAFE_INTEGER ? `, ${least} or more` : ` from ${least} to ${most}`;
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      throw new InvalidArgumentError(`It must be a whole number${wanted}.`);
    }
    return value;
  };
}

/** Most threads of a pool, as in a spec: an engine that is asked for very many starts them for minutes. */
export const MOST_THREADS = 1024;

function folder(text: string): string {
  if (text.trim() === "") throw new InvalidArgumentError("It must name a folder.");
  return text;
}

function floor(text: string, others: readonly Floor[]): readonly Floor[] {
  const parsed = parseFloor(text);
  if (parsed === null) throw new InvalidArgumentError("It must be metric@epoch=value, such as loss@2=0.3.");
  return [...others, parsed];
}

/** What a flag says where the person wants no server. */
const off = "off";

function address(text: string): string {
  const problem = text === off ? null : addressProblem(text);
  if (problem !== null) throw new InvalidArgumentError(`It must be ${addressWanted}; ${problem}.`);
  return text;
}

const serverOption = (flags: string, title: string, given: string | null): Option =>
  new Option(flags, `send the log to a server of ${title} while training goes on, or off`)
    .argParser(address)
    .default(given ?? off);

/** What flags have that are left out, and what the texts say of the trainer. */
type Defaults = Pick<
  TrainerFlags,
  "dataRoot" | "runDirectory" | "logEverySteps" | "loggers" | "threads" | "workers"
> & {
  readonly description: string;
  readonly version: string;
};

const commandOf = ({ loggers, ...defaults }: Defaults): Command =>
  new Command("train.js")
    .usage("[flags]")
    .description(defaults.description)
    .option("--data <root>", "folder that relative data paths start from", folder, defaults.dataRoot)
    .option("--run-dir <dir>", "folder of this run: checkpoints and logs", folder, defaults.runDirectory)
    .option(
      "--resume [latest|auto|path]",
      "go on from the newest checkpoint of the run folder, or from the one named; auto: begin where there is none",
    )
    .option(
      "--init-from <file>",
      "begin with the weights of a checkpoint, .safetensors or .pth.tar, or of an encoder of timm or Hugging Face",
    )
    .option("--steps <n>", "stop at this step of the run, with a checkpoint", wholeNumber(1))
    .addOption(
      new Option("--floor <metric@epoch=value>", "stop after this epoch where the metric is worse; may be repeated")
        .argParser(floor)
        .default([], "none"),
    )
    .option("--log-every <n>", "steps between lines of the log", wholeNumber(1), defaults.logEverySteps)
    .option("--tensorboard", "write event files for TensorBoard into the run folder", loggers.tensorboard)
    .option("--no-tensorboard", "write none, whatever the experiment says")
    .addOption(serverOption("--mlflow <address>", "MLflow", loggers.mlflow))
    .addOption(serverOption("--trackio <address>", "Trackio", loggers.trackio))
    .option("--threads <n>", "threads of the engine, 0 = all cores", wholeNumber(0, MOST_THREADS), defaults.threads)
    .option("--workers <n>", "threads that read images, 0 = automatic", wholeNumber(0, MOST_THREADS), defaults.workers)
    .option("--pjrt-plugin <file>", "PJRT plugin of the engine xla, instead of looking for one")
    .option("--no-progress", "print lines instead of a progress bar")
    .option("--quiet", "print nothing but errors")
    .version(defaults.version, "--version", "print what this trainer is")
    .helpOption("--help", "print this text");

/** The names of all flags, e.g. "--run-dir". */
export const flagNames = (): readonly string[] =>
  commandOf({
    ...{ dataRoot: ".", runDirectory: ".", logEverySteps: 1, threads: 0, workers: 0, description: "", version: "" },
    loggers: { tensorboard: false, mlflow: null, trackio: null },
  }).options.flatMap(({ long }) => (long === undefined ? [] : [long]));

/** `args` are those after the file name; `dataRoot` is where the data lie that are not told to lie elsewhere. */
export function parseFlags(experiment: Experiment, args: readonly string[], dataRoot = "."): CommandLine {
  let text = "";
  const write = (line: string): void => {
    text += line;
  };
  const command = commandOf({
    dataRoot,
    runDirectory: experiment.runDirectory,
    logEverySteps: experiment.log.logEverySteps,
    loggers: experiment.log,
    threads: experiment.hardware.threads,
    workers: experiment.hardware.workers,
    description:
      `Trains the experiment "${experiment.name}": ${experiment.schedule.steps} steps of ` +
      `${experiment.optimizer.globalBatch} images. The experiment itself is compiled in: to change it, change its ` +
      "JSON and compile again.",
    version:
      `${experiment.name}, compiled by ijepa ${experiment.generatorVersion} (spec ${experiment.specHash})` +
      (experiment.editedCode === undefined ? "" : `, edited by hand (code ${experiment.editedCode})`),
  })
    .exitOverride()
    .configureOutput({ writeOut: write, writeErr: write });
  try {
    command.parse(args, { from: "user" });
    const { resume, initFrom } = command.opts<{ resume?: true | string; initFrom?: string }>();
    if (initFrom !== undefined && resume !== undefined && resume !== "auto") {
      command.error("error: option '--init-from <file>' cannot be used with option '--resume [latest|auto|path]'");
    }
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: "text", text, exitCode: 0 };
    return { kind: "text", text: `${text}Run it with --help to see all flags.\n`, exitCode: 2 };
  }
  // Commander leaves the types of parsed values to the caller; these are those of the options above.
  const values = command.opts<{
    data: string;
    runDir: string;
    resume?: true | string;
    initFrom?: string;
    steps?: number;
    floor: readonly Floor[];
    logEvery: number;
    tensorboard: boolean;
    mlflow: string;
    trackio: string;
    threads: number;
    workers: number;
    pjrtPlugin?: string;
    progress: boolean;
    quiet?: true;
  }>();
  return {
    kind: "run",
    flags: {
      dataRoot: values.data,
      runDirectory: values.runDir,
      resume: resumeFrom(values.resume),
      initFrom: values.initFrom ?? null,
      stopAtStep: values.steps ?? null,
      floors: values.floor,
      logEverySteps: values.logEvery,
      logEveryGiven: command.getOptionValueSource("logEvery") === "cli",
      loggers: {
        tensorboard: values.tensorboard,
        mlflow: values.mlflow === off ? null : values.mlflow,
        trackio: values.trackio === off ? null : values.trackio,
      },
      threads: values.threads,
      workers: values.workers,
      pjrtPlugin: values.pjrtPlugin ?? null,
      progress: values.progress,
      quiet: values.quiet ?? false,
    },
  };
}

function resumeFrom(value: true | string | undefined): TrainerFlags["resume"] {
  if (value === undefined) return { from: "nothing" };
  if (value === true || value === "latest") return { from: "latest" };
  return value === "auto" ? { from: "auto" } : { from: "path", path: value };
}
