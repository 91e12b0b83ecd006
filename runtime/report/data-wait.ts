/** How much of its time a training waits for images while its engine has nothing to do. */

export interface TimedStep {
  /** From the end of the step before to the end of this one. */
  readonly wallMs: number;
  /** Of it the step itself, without any wait for images. */
  readonly timeMs: number;
  /** Wait for images, also where the engine was busy with the step before. */
  readonly dataMs: number;
}

/** From this share on it is worth a word. */
export const notableShare = 0.1;

export function waitedMs({ wallMs, timeMs, dataMs }: TimedStep): number {
  return Math.max(0, Math.min(dataMs, wallMs - timeMs));
}

export interface DataWait {
  add(step: TimedStep): void;
  /** Of the time since the start or the last reset; null where there was no step. */
  share(): number | null;
  reset(): void;
}

export function measureDataWait(): DataWait {
  let waited = 0;
  let time = 0;
  return {
    add: (step) => {
      waited += waitedMs(step);
      time += step.wallMs;
    },
    share: () => (time === 0 ? null : waited / time),
    reset: () => {
      waited = 0;
      time = 0;
    },
  };
}

/** Null where the images kept up. */
export function waitSentence(what: {
  readonly share: number | null;
  /** Threads that prepared images; 0 = none but the one that trains. */
  readonly workers: number;
  readonly cores: number;
}): string | null {
  const { share, workers, cores } = what;
  if (share === null || share <= notableShare) return null;
  const threads =
    workers === 0
      ? "The thread that trains prepared them too"
      : `${workers} ${workers === 1 ? "thread" : "threads"} prepared them`;
  const more =
    workers < cores ? "more threads (--workers)" : "smaller image files, a machine with more cores, or a faster disk";
  return (
    `Training waited for images in ${(100 * share).toFixed(0)} % of its time. ${threads} on ${cores} ${cores === 1 ? "core" : "cores"}; ` +
    `what helps is ${more}. \`ijepa inspect\` says how many cores a card needs.`
  );
}
