/** What a person sees while the trainer runs: a bar on a terminal, plain lines elsewhere. */
import { MultiBar, Presets } from "cli-progress";
import { notableShare, type TimedStep, waitedMs } from "./data-wait";
import { durationText, lrText, rateText } from "./text";

/** One optimizer step, as far as the display needs it. */
export interface ProgressStep extends TimedStep {
  /** Steps done, this one included. */
  readonly step: number;
  /** From 1. */
  readonly epoch: number;
  readonly loss: number;
  readonly lr: number;
  /** Null where there was no update. */
  readonly gradientNorm: number | null;
  readonly images: number;
}

export interface ProgressRange {
  readonly steps: number;
  /** Steps that were done before this run of the program. */
  readonly stepsDone: number;
  readonly epochs: number;
  /** Where this run of the program stops; `steps` unless a flag says less. */
  readonly stopAtStep: number;
  /** Steps between two plain lines, and the least time. */
  readonly logEverySteps: number;
  readonly lineEveryMs: number;
}

export interface Progress {
  /** Steps follow. */
  begin(range: ProgressRange): void;
  step(step: ProgressStep): void;
  /** A line: before, between or after the steps. */
  note(line: string): void;
  /** No more steps follow; gives the terminal back. */
  stop(): void;
}

export function openProgress(options: {
  readonly stream: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly quiet: boolean;
  /** A bar is wanted, where the stream is a terminal. */
  readonly bar: boolean;
}): Progress {
  if (options.quiet) return { begin: () => {}, step: () => {}, note: () => {}, stop: () => {} };
  return options.bar && options.stream.isTTY === true ? barProgress(options.stream) : lineProgress(options.stream);
}

export function lineProgress(stream: NodeJS.WritableStream): Progress {
  const recent = recentSteps();
  let range: ProgressRange | null = null;
  let sinceLineMs = 0;
  const note = (line: string): void => {
    stream.write(`${line}\n`);
  };
  return {
    begin: (given) => {
      range = given;
    },
    step: (step) => {
      recent.add(step);
      if (range === null) return;
      sinceLineMs += step.wallMs;
      const isFirst = step.step === range.stepsDone + 1;
      const isLast = step.step === range.stopAtStep;
      const isDue = step.step % range.logEverySteps === 0 && sinceLineMs >= range.lineEveryMs;
      if (!isFirst && !isLast && !isDue) return;
      sinceLineMs = 0;
      note(`step ${step.step}/${range.steps} · ${statusText(step, recent.summary(), range)}`);
    },
    note,
    stop: () => {},
  };
}

/** Columns that the bar takes with all of its numbers, and without the norm of the gradient. */
const wholeColumns = 116;
const usualColumns = 100;

/** How much of a step is shown. */
type Detail = "whole" | "usual" | "narrow";

export function barProgress(stream: NodeJS.WritableStream & { readonly columns?: number }): Progress {
  // The end of a line that is too long is cut off, and with it the loss and the time that is left.
  const columns = stream.columns ?? wholeColumns;
  const detail: Detail = columns >= wholeColumns ? "whole" : columns >= usualColumns ? "usual" : "narrow";
  const recent = recentSteps();
  // Of the two kinds of bar of the library the one for several bars can print lines above itself.
  const display = new MultiBar(
    {
      format: detail === "narrow" ? "{status} · {value}/{total}" : "{bar} {value}/{total} · {status}",
      stream,
      barsize: 24,
      fps: 5,
      hideCursor: true,
      linewrap: false,
      forceRedraw: true,
      // The trainer handles signals itself: it has a checkpoint to write first.
      gracefulExit: false,
    },
    Presets.shades_classic,
  );
  let shown: { readonly range: ProgressRange; readonly bar: ReturnType<MultiBar["create"]> } | null = null;
  return {
    begin: (range) => {
      shown = { range, bar: display.create(range.steps, range.stepsDone, { status: "first step …" }) };
    },
    step: (step) => {
      recent.add(step);
      shown?.bar.update(step.step, { status: statusText(step, recent.summary(), shown.range, detail) });
    },
    note: (line) => {
      if (display.isActive) {
        display.log(`${line}\n`);
        display.update();
      } else {
        stream.write(`${line}\n`);
      }
    },
    stop: () => {
      if (display.isActive) display.stop();
    },
  };
}

interface RecentSummary {
  readonly loss: number;
  /** NaN where only the first step is known, which says nothing about those to come. */
  readonly stepMs: number;
  readonly imagesPerSecond: number;
  /** Share of the time in which the engine waited for images. */
  readonly waitedShare: number;
}

const recentCount = 50;

/** Means over the last steps: steady enough to read, quick enough to show a change. */
export function recentSteps(): { add(step: ProgressStep): void; summary(): RecentSummary } {
  const steps: ProgressStep[] = [];
  let count = 0;
  return {
    add: (step) => {
      count++;
      // The first step of a process also warms everything up.
      if (count === 2) steps.shift();
      steps.push(step);
      if (steps.length > recentCount) steps.shift();
    },
    summary: () => {
      const sum = (value: (step: ProgressStep) => number): number =>
        steps.reduce((total, step) => total + value(step), 0);
      const wallMs = sum((step) => step.wallMs);
      return {
        loss: sum((step) => step.loss) / steps.length,
        stepMs: count === 1 ? Number.NaN : wallMs / steps.length,
        imagesPerSecond: sum((step) => step.images) / (wallMs / 1000),
        waitedShare: sum(waitedMs) / wallMs,
      };
    },
  };
}

function statusText(step: ProgressStep, recent: RecentSummary, range: ProgressRange, detail: Detail = "whole"): string {
  const narrow = detail === "narrow";
  return [
    ...(narrow ? [] : [`epoch ${step.epoch}/${range.epochs}`]),
    `loss ${recent.loss.toFixed(4)}`,
    ...(detail !== "whole" || step.gradientNorm === null ? [] : [`gradient ${rateText(step.gradientNorm)}`]),
    ...(narrow ? [] : [`lr ${lrText(step.lr)}`, `${rateText(recent.imagesPerSecond)} images/s`]),
    ...(narrow || !(recent.waitedShare > notableShare)
      ? []
      : [`waiting for images ${(100 * recent.waitedShare).toFixed(0)} %`]),
    `ETA ${durationText(recent.stepMs * (range.stopAtStep - step.step))}`,
  ].join(" · ");
}
