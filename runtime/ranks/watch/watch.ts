/**
 * Ends a run in which a rank died, hangs or failed: MPI alone may wait for it for ever. Rank 0 looks at the signs of life
 * of all ranks, and the others at rank 0's, which also tells them what it found: so a run of n ranks reads 2n small files
 * every few seconds. Needs a run folder that all hosts share.
 */
import { hostname } from "node:os";
import type { UserError } from "../../errors";
import { exitAtOnce, tryAgainExitCode } from "../../exit";
import { type Beat, openBeatFolder, thisMachine } from "./beat";
import { type Fault, judge, type Peer, type WatchLimits } from "./judge";

export interface WatchOptions {
  /** `<run folder>/ranks` */
  readonly folder: string;
  readonly rank: number;
  readonly size: number;
  readonly host?: string;
  /** Called once, before the process ends: the place for a line in the log, and to give back what is held. No promises. */
  readonly onFault: (error: UserError) => void;
  readonly limits?: Partial<WatchLimits & { readonly beatMs: number }>;
}

export interface Watch {
  /**
   * What this rank is at from now on, and how long that may take until its next collective call, e.g.
   * ("step 12", ten usual steps and at least 45 s) or ("the evaluation", 10 minutes).
   */
  doing(what: string, limitMs: number): void;
  /** Around every collective call. */
  entered(): void;
  left(): void;
  /** Tells the others that this rank gives up, why and how; they end. Returns when they had the time for it. */
  failed(reason: string, exitCode: number): Promise<void>;
  /** Returns after the next two looks at the other ranks, if they find nothing. */
  lookAgain(): Promise<void>;
  /** The run is over and all is well. */
  end(): void;
}

const defaults: WatchLimits & { readonly beatMs: number } = {
  beatMs: 2_000,
  silentMs: 30_000,
  startMs: 45_000,
  collectiveMs: 50_000,
};

/** Engines compile in the first step, so the time until then is long. */
const startingLimitMs = 10 * 60_000;

export function startWatch(options: WatchOptions): Watch {
  const { folder, rank, size, onFault } = options;
  const limits = { ...defaults, ...options.limits };
  const startedMs = performance.now();
  const machine = thisMachine();
  const beats = openBeatFolder(folder, rank);
  const watched = rank === 0 ? Array.from({ length: size - 1 }, (_, index) => index + 1) : [0];
  /** What earlier runs left there: a rank is seen when its file is another one. */
  const before = new Map(watched.map((of) => [of, beats.read(of)]));
  const peers = new Map<number, Peer>(watched.map((of) => [of, { rank: of, beat: null, atMs: startedMs }]));
  let mine: Beat = {
    rank,
    host: options.host ?? hostname(),
    pid: process.pid,
    machine,
    count: 0,
    state: "running",
    reason: "",
    culprit: null,
    exitCode: 0,
    doing: "the start",
    limitMs: startingLimitMs,
    entered: 0,
  };
  let waitsSinceMs: number | null = null;
  let over = false;

  const beat = (change: Partial<Beat> = {}): void => {
    mine = { ...mine, ...change, count: mine.count + 1 };
    try {
      beats.write(mine);
    } catch {
      // A full disk, or a network disk that is away for a moment: the others miss it if it lasts.
    }
  };
  const look = (): void => {
    const nowMs = performance.now();
    for (const [of, peer] of peers) {
      const found = beats.read(of);
      const known = peer.beat ?? before.get(of);
      if (found !== null && (found.count !== known?.count || found.pid !== known.pid)) {
        peers.set(of, { rank: of, beat: found, atMs: nowMs });
      }
    }
    const alive = (of: Beat): boolean | null => (of.machine === machine ? isAlive(of.pid) : null);
    const watching = {
      nowMs,
      startedMs,
      folder,
      limits,
      entered: mine.entered,
      waitsSinceMs,
      seesAll: rank === 0,
      alive,
    };
    const fault = judge([...peers.values()], watching);
    if (fault !== null) giveUp(fault);
  };
  const stop = (): void => {
    over = true;
    clearInterval(timer);
    process.off("SIGTERM", onTerm);
    process.off("exit", onExit);
  };
  const giveUp = ({ error, culprit, exitCode }: Fault): void => {
    if (over) return;
    stop();
    beat({ state: "failed", reason: error.message, culprit, exitCode });
    try {
      onFault(error);
    } finally {
      // The first that ends makes the launcher end the others. All look once in a beat, so after one and a half they have
      // seen why; rank 0, at which they look, ends last.
      const graceMs = (rank === 0 ? 3 : 1.5) * limits.beatMs;
      setTimeout(() => {
        if (culprit !== null && culprit !== rank) endProcessOf(culprit);
        exitAtOnce(exitCode);
      }, graceMs);
    }
  };
  /** A rank that hangs would not end with the others, and its launcher would wait for it. */
  const endProcessOf = (culprit: number): void => {
    const found = beats.read(culprit);
    if (found !== null && found.machine === machine && found.state === "running") kill(found.pid);
  };
  const onExit = (code: number): void => {
    if (!over)
      beat({
        state: "failed",
        // A signal comes from outside: launchers send one to those that are left when a rank is gone.
        exitCode: code > 128 ? tryAgainExitCode : 1,
        reason: `its process ended with exit code ${code} before the run was over.`,
      });
  };
  // Launchers send it to the ranks that are left when one is gone: here is the last chance to say which.
  const onTerm = (): void => {
    look();
    if (over || process.listenerCount("SIGTERM") > 1) return;
    // Nobody else listens, so the signal does what it does where nobody does.
    stop();
    process.kill(process.pid, "SIGTERM");
  };

  beat();
  const timer = setInterval(() => {
    beat();
    look();
  }, limits.beatMs);
  // A process that has nothing else to do ends, and the others are told (onExit).
  timer.unref();
  process.on("SIGTERM", onTerm);
  process.on("exit", onExit);
  // MPICH's mpirun sends it when a rank is gone. It stays listened to: without a listener Node opens its debugger.
  process.on("SIGUSR1", () => {
    if (!over) look();
  });
  return {
    doing: (what, limitMs) => {
      // A step may take milliseconds, so the next beat tells; another patience must be known before it is needed.
      const isOther = limitMs > mine.limitMs || limitMs < mine.limitMs / 2;
      if (isOther && !over) beat({ doing: what, limitMs });
      else mine = { ...mine, doing: what, limitMs };
    },
    entered: () => {
      waitsSinceMs = performance.now();
      mine = { ...mine, entered: mine.entered + 1 };
    },
    left: () => {
      waitsSinceMs = null;
    },
    failed: async (reason, exitCode) => {
      if (!over) {
        stop();
        beat({ state: "failed", reason, exitCode });
      }
      // Rank 0 looks, and the others look at rank 0.
      await new Promise((done) => setTimeout(done, 4 * limits.beatMs));
    },
    lookAgain: () => new Promise((done) => setTimeout(done, 2.5 * limits.beatMs)),
    end: () => {
      if (over) return;
      stop();
      beat({ state: "ended" });
    },
  };
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && "code" in error && error.code === "ESRCH");
  }
}
