/**
 * Programs that show runs, besides the run's own files. They take what log.jsonl takes, in its order, and none of them can
 * slow or stop a run: what goes wrong is said once, and training goes on. docs/logging.md describes them.
 */
import type { LogEvent } from "../report/jsonl";
import type { Rgb } from "./png";

export const loggerNames = ["tensorboard", "mlflow", "trackio"] as const;
export type LoggerName = (typeof loggerNames)[number];

/** Which of them a run uses, by the experiment or by a flag. */
export interface LoggerSettings {
  /** Writes event files into the run folder. */
  readonly tensorboard: boolean;
  /** Address of a tracking server, or null. */
  readonly mlflow: string | null;
  /** Address of a server, or null. */
  readonly trackio: string | null;
}

export interface Picture extends Rgb {
  readonly name: string;
}

/** Numbers whose spread is shown. */
export interface Spread {
  readonly name: string;
  readonly values: Float32Array;
}

export interface RunLogger {
  /** Told when log.jsonl has the event. Takes no time and throws nothing. */
  event(event: LogEvent): void;
  /** Left out: it shows no pictures. `step` counts the steps done, as in the log. */
  picture?(step: number, picture: Picture): Promise<void>;
  /** Left out: it shows no spreads. */
  spread?(step: number, spread: Spread): void;
  /** The run ends; waits for what is under way, and not for long. Throws nothing. */
  close(): Promise<void>;
}
