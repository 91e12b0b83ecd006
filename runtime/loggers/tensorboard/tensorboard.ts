/**
 * Event files in `<run>/tensorboard`, which `tensorboard --logdir runs` shows. Each start of a trainer writes a file of its
 * own; one that goes on from step n begins with a session start at n + 1, from which TensorBoard forgets what an earlier
 * file says of later steps. So no step is drawn twice.
 */
import { appendFileSync, mkdirSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { eventFileUnusable } from "../../errors";
import { reasonOf } from "../../exceptions";
import type { RunLogger } from "../logger";
import { metricsOf } from "../metrics";
import type { PngEncoder } from "../png";
import { type EncodedImage, eventBytes, type Said } from "./events";
import { histogramOf } from "./histogram";
import { recordOf } from "./records";

export const eventFolder = "tensorboard";

export interface TensorboardOptions {
  /** Of the run. */
  readonly directory: string;
  readonly stepsDone: number;
  readonly note: (line: string) => void;
  /** PNG of RGB bytes; null where nothing here can make one. */
  readonly encode: PngEncoder | null;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

export function openTensorboard({ directory, stepsDone, note, encode, now = Date.now }: TensorboardOptions): RunLogger {
  const folder = join(directory, eventFolder);
  // Names sort by the time of their start, as TensorBoard reads them.
  const started = String(Math.floor(now() / 1000)).padStart(10, "0");
  const file = join(folder, `events.out.tfevents.${started}.${hostname()}.${process.pid}.${stepsDone}`);
  let isOpen = true;
  const write = (step: number, said: Said): void => {
    if (!isOpen) return;
    try {
      appendFileSync(file, recordOf(eventBytes({ wallTime: now() / 1000, step, said })));
    } catch (error) {
      isOpen = false;
      const { code, message } = eventFileUnusable({ file, why: reasonOf(error) });
      note(`${code}: ${message}`);
    }
  };
  try {
    mkdirSync(folder, { recursive: true });
  } catch {
    // The first event says why.
  }
  write(0, { says: "version" });
  if (stepsDone > 0) write(stepsDone + 1, { says: "session start" });
  return {
    event: (event) => {
      const values = metricsOf(event);
      if (values.size > 0) write(event.step, { says: "scalars", values });
    },
    ...(encode === null
      ? {}
      : {
          picture: async (step, { name, ...rgb }) => {
            const { width, height } = rgb;
            const image: EncodedImage = { width, height, png: await encode(rgb) };
            write(step, { says: "image", tag: name, image });
          },
        }),
    spread: (step, { name, values }) => {
      const histogram = histogramOf(values);
      if (histogram !== null) write(step, { says: "histogram", tag: name, histogram });
    },
    close: async () => {
      isOpen = false;
    },
  };
}
