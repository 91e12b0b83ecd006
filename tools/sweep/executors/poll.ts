/** How often an executor asks after its tasks: soon at first, then seldom, since schedulers serve many. */

export interface PollPace {
  readonly firstMs: number;
  readonly lastMs: number;
}

export const usualPace: PollPace = { firstMs: 1000, lastMs: 15_000 };

/** The wait before poll `n`, from 0. */
export const waitMs = ({ firstMs, lastMs }: PollPace, n: number): number => Math.min(firstMs * 1.3 ** n, lastMs);

/** Resolves after the time, or at once when the signal comes; never rejects. */
export function sleep(ms: number, wake: AbortSignal): Promise<void> {
  if (wake.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      wake.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    wake.addEventListener("abort", done);
  });
}
