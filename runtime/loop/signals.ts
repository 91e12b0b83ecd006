/**
 * Stopping: the first SIGINT, SIGTERM or SIGHUP asks the loop to end after its step, a second one ends the process at once.
 * SIGHUP says that the terminal is gone; under nohup that is no reason to stop.
 */

import type { Communicator } from "../ranks/communicator";
import { gatherNumbers } from "../ranks/numbers";
import { isUnderNohup } from "../report/terminal";

export type StopSignal = "SIGINT" | "SIGTERM" | "SIGHUP";

/** 128 + the number of the signal, as shells report it. */
export const exitCodes: Readonly<Record<StopSignal, number>> = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };

const stopSignals: readonly StopSignal[] = ["SIGINT", "SIGTERM", "SIGHUP"];
const isStopSignal = (signal: NodeJS.Signals): signal is StopSignal => stopSignals.some((known) => known === signal);

/** `npm run` passes on a Ctrl-C that the terminal has already sent: two signals that close are one. */
const sameSignalMs = 300;

export interface StopRequests {
  /** The signal that asked for an end, or null. */
  requested(): StopSignal | null;
  /** From here on a first signal waits for the loop; before, and after `stopsAtOnce`, it ends the process. */
  waitForStep(): void;
  stopsAtOnce(): void;
  dispose(): void;
}

export interface StopActions {
  /** A first signal came while the loop runs. */
  readonly asked: (signal: StopSignal) => void;
  /** The process is about to end: give back what is held, quickly. */
  readonly leaving: (signal: StopSignal) => void;
}

export function listenForStop(actions: StopActions): StopRequests {
  let first: { readonly signal: StopSignal; readonly atMs: number } | null = null;
  let waits = false;
  const ignoresHangUp = isUnderNohup();
  const listener = (signal: NodeJS.Signals): void => {
    if (!isStopSignal(signal) || (signal === "SIGHUP" && ignoresHangUp)) return;
    if (first !== null && performance.now() - first.atMs < sameSignalMs) return;
    if (waits && first === null) {
      first = { signal, atMs: performance.now() };
      actions.asked(signal);
      return;
    }
    actions.leaving(signal);
    stopListening();
    // process.exit would wait for a step that onnxruntime computes on another thread; the signal itself does not.
    process.kill(process.pid, signal);
    process.exit(exitCodes[signal]);
  };
  const stopListening = (): void => {
    for (const signal of stopSignals) process.off(signal, listener);
  };
  for (const signal of stopSignals) process.on(signal, listener);
  return {
    requested: () => first?.signal ?? null,
    waitForStep: () => {
      waits = true;
    },
    stopsAtOnce: () => {
      waits = false;
    },
    dispose: stopListening,
  };
}

const reasons = [null, "SIGINT", "SIGTERM", "floor", "SIGHUP"] as const;

/**
 * Why the run is to end, for all ranks: what the first of them says that has a reason. A signal reaches ranks between other
 * steps, and a rank that stopped alone would leave the others waiting.
 */
export async function stopForAll(
  ranks: Pick<Communicator, "allGather">,
  mine: StopSignal | "floor" | null,
): Promise<StopSignal | "floor" | null> {
  const said = (await gatherNumbers(ranks, [reasons.indexOf(mine)])).flat();
  return reasons[said.find((reason) => reason > 0) ?? 0] ?? null;
}
