/** The ranks of a run as its trainer sees them: what they tell one another, and how long others may have to wait. */
import { availableParallelism } from "node:os";
import type { UserError } from "../errors";
import { aloneCommunicator } from "./alone";
import type { Communicator } from "./communicator";
import { startWatch } from "./watch/watch";
import { watched } from "./watch/watched";

export interface RunRanks extends Communicator {
  /** Cores of this host for each of the ranks on it. */
  readonly cores: number;
  /** This rank among those of its host, from 0. */
  readonly localRank: number;
  /** Ranks of this host, this one included. */
  readonly ranksHere: number;
  /** Devices that each rank holds: rank r has those from r · devices on. */
  readonly devices: number;
  /** This rank is at its steps, of which one takes so long. */
  stepping(step: number, stepMs: number): void;
  /** Work for which the others may have to wait that long. */
  during<T>(what: string, limitMs: number, work: () => Promise<T>): Promise<T>;
  /** Calls `act` where another rank ends the run, before this process ends too. */
  whenFault(act: (error: UserError) => void): void;
}

/** A step is late after ten of its usual times, and not before this: disks and networks pause now and then. */
const leastPatienceMs = 45_000;

export function aloneRanks(devices = 1): RunRanks {
  return {
    ...aloneCommunicator(),
    cores: availableParallelism(),
    localRank: 0,
    ranksHere: 1,
    devices,
    stepping: () => {},
    during: (_what, _limitMs, work) => work(),
    whenFault: () => {},
  };
}

/** `folder` is where ranks say that they live, in the run folder. */
export function watchedRanks(
  communicator: Communicator,
  where: {
    readonly folder: string;
    readonly ranksHere: number;
    readonly localRank: number;
    readonly devices: number;
  },
): RunRanks {
  let act = (_error: UserError): void => {};
  const { folder, ranksHere, localRank, devices } = where;
  const { rank, size, host } = communicator;
  const watch = startWatch({ folder, rank, size, host, onFault: (error) => act(error) });
  let at = { what: "the start", limitMs: Number.POSITIVE_INFINITY };
  const doing = (what: string, limitMs: number): void => {
    at = { what, limitMs };
    watch.doing(what, limitMs);
  };
  return {
    ...watched(communicator, watch),
    cores: Math.max(1, Math.floor(availableParallelism() / ranksHere)),
    localRank,
    ranksHere,
    devices,
    stepping: (step, stepMs) => doing(`step ${step}`, Math.max(leastPatienceMs, 10 * stepMs)),
    during: async (what, limitMs, work) => {
      const before = at;
      doing(what, Math.max(limitMs, Number.isFinite(before.limitMs) ? before.limitMs : 0));
      try {
        return await work();
      } finally {
        if (Number.isFinite(before.limitMs)) doing(before.what, before.limitMs);
      }
    },
    whenFault: (given) => {
      act = given;
    },
  };
}
