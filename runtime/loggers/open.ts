/** The loggers of a run: those that its experiment or its flags ask for, as one. */
import { messageOf } from "../exceptions";
import type { Experiment } from "../experiment";
import type { LogEvent } from "../report/jsonl";
import { type LoggerName, type LoggerSettings, loggerNames, type Picture, type RunLogger, type Spread } from "./logger";
import { pngEncoder } from "./png";
import { openRemote, type RemoteName } from "./remote/open";
import { openTensorboard } from "./tensorboard/tensorboard";

export interface LoggersOptions {
  readonly settings: LoggerSettings;
  readonly experiment: Experiment;
  /** Of the run. */
  readonly directory: string;
  /** log.jsonl of the run, open already. */
  readonly log: string;
  readonly stepsDone: number;
  readonly note: (line: string) => void;
  readonly variables: Readonly<Record<string, string | undefined>>;
}

/** All loggers of a run; none throws, and none is waited for but by `close`. */
export interface RunLoggers {
  event(event: LogEvent): void;
  /** Null where nobody shows pictures. */
  readonly picture: ((step: number, picture: Picture) => void) | null;
  /** Null where nobody shows how numbers spread. */
  readonly spread: ((step: number, spread: Spread) => void) | null;
  close(): Promise<void>;
}

export const noLoggers: RunLoggers = { event: () => {}, picture: null, spread: null, close: async () => {} };

const remote =
  (name: RemoteName) =>
  ({ settings, stepsDone, ...options }: LoggersOptions): RunLogger | null => {
    const address = settings[name];
    return address === null ? null : openRemote({ ...options, name, address, goesOn: stepsDone > 0 });
  };

/** Null where the run does not ask for it. */
const openers: { readonly [N in LoggerName]: (options: LoggersOptions) => RunLogger | null } = {
  tensorboard: (options) =>
    options.settings.tensorboard ? openTensorboard({ ...options, encode: pngEncoder() }) : null,
  mlflow: remote("mlflow"),
  trackio: remote("trackio"),
};

export function openLoggers(options: LoggersOptions): RunLoggers {
  const open = loggerNames.flatMap((name) => openers[name](options) ?? []);
  const pictures = open.filter(({ picture }) => picture !== undefined);
  const spreads = open.filter(({ spread }) => spread !== undefined);
  const underWay = new Set<Promise<void>>();
  return {
    event: (event) => {
      for (const logger of open) logger.event(event);
    },
    picture:
      pictures.length === 0
        ? null
        : (step, picture) => {
            for (const logger of pictures) {
              const drawn: Promise<void> = (logger.picture?.(step, picture) ?? Promise.resolve())
                .catch((error: unknown) => options.note(`no picture of ${picture.name}: ${messageOf(error)}`))
                .finally(() => underWay.delete(drawn));
              underWay.add(drawn);
            }
          },
    spread:
      spreads.length === 0
        ? null
        : (step, spread) => {
            for (const logger of spreads) logger.spread?.(step, spread);
          },
    close: async () => {
      await Promise.all(underWay);
      await Promise.all(open.map((logger) => logger.close()));
    },
  };
}
