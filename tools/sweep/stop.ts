/** Ctrl-C and its like, for a process that looks after others: once asks them to save and end, twice ends them. */

export interface Stop {
  /** Aborted by the first signal, with its name as the reason. */
  readonly signal: AbortSignal;
  /** The first signal, or null. */
  requested(): NodeJS.Signals | null;
  dispose(): void;
}

/** A closed terminal is no reason to lose work either. */
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** `npm run` passes on a Ctrl-C that the terminal has already sent: two signals that close are one. */
const sameSignalMs = 300;

export function listenForStop(actions: {
  readonly asked: (signal: NodeJS.Signals) => void;
  readonly again: () => void;
}): Stop {
  const controller = new AbortController();
  let first: { readonly signal: NodeJS.Signals; readonly atMs: number } | null = null;
  const listener = (signal: NodeJS.Signals): void => {
    if (first === null) {
      first = { signal, atMs: performance.now() };
      actions.asked(signal);
      controller.abort(signal === "SIGINT" ? "SIGINT" : "SIGTERM");
    } else if (performance.now() - first.atMs >= sameSignalMs) {
      actions.again();
    }
  };
  for (const signal of signals) process.on(signal, listener);
  return {
    signal: controller.signal,
    requested: () => first?.signal ?? null,
    dispose: () => {
      for (const signal of signals) process.off(signal, listener);
    },
  };
}
