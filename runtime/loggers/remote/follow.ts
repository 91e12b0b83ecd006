/**
 * Sends what log.jsonl says to a server, in the background: it reads the log as the run writes it, so nothing waits in memory
 * while the server is away, and what was not sent is sent when the run goes on, or by `ijepa log push`. A server that does not
 * answer is asked again, more and more rarely; one that refuses is not asked again.
 */
import { loggerRefuses, loggerUnreachable, logNotSent, type UserError } from "../../errors";
import { LogTail } from "../../report/log-tail";
import { eventOf } from "../../report/read-log";
import type { LoggerName, RunLogger } from "../logger";
import { Refusal, whyFailed } from "./request";
import { Rows, type ToSend } from "./rows";
import { freshRecord, readSent, type SentRecord, writeSent } from "./sent";
import type { Row, RunFacts, Server } from "./server";

export interface FollowOptions {
  /** Of the run. */
  readonly directory: string;
  readonly log: string;
  readonly name: LoggerName;
  readonly server: Server;
  readonly run: RunFacts;
  /** The run goes on from a checkpoint: what the server has of it stays. */
  readonly goesOn: boolean;
  readonly note: (line: string) => void;
  /** Breaks off what the server has under way. */
  readonly abort: () => void;
  readonly cadence?: Partial<Cadence>;
}

/** All in milliseconds. */
export interface Cadence {
  /** Between two looks at the log. */
  readonly lookEvery: number;
  /** After the first failure; twice that after the next, and so on. */
  readonly retryFirst: number;
  readonly retryMost: number;
  /** What the end of a run may wait for. */
  readonly closeWithin: number;
}

const usual: Cadence = { lookEvery: 2_000, retryFirst: 1_000, retryMost: 60_000, closeWithin: 10_000 };

/** Rows of one request. */
const mostRows = 100;

export interface Follower extends RunLogger {
  /** What the server got of this process. */
  done(): { readonly rows: number; readonly isAll: boolean };
}

export function followLog(options: FollowOptions): Follower {
  const { directory, log, name, server, run, note, cadence } = options;
  const { lookEvery, retryFirst, retryMost, closeWithin } = { ...usual, ...cadence };
  const { title, address } = server;
  const tail = new LogTail(log);
  const known = options.goesOn ? readSent(directory, name, address) : null;
  const rows = new Rows(known?.sent ?? { step: -1, events: 0 });
  let record: SentRecord | null = known;
  let isTold = known === null;
  let state: "open" | "closing" | "given up" = "open";
  let isBroken = false;
  let isEnded = false;
  let sentRows = 0;
  let isAll = false;
  let wake = (): void => {};
  const say = ({ code, message }: UserError): void => note(`${code}: ${message}`);

  /** Until it is time, the run ends, or, while closing, never longer than until then. */
  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      // Training keeps the process alive; this must not.
      if (state === "open") timer.unref();
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  /** False where the server refuses, or the run is over before it answers. */
  const persistently = async (work: () => Promise<void>): Promise<boolean> => {
    for (let wait = retryFirst; ; wait = Math.min(2 * wait, retryMost)) {
      try {
        await work();
        if (isBroken) note(`${title} at ${address} answers again.`);
        isBroken = false;
        return true;
      } catch (error) {
        if (isGivenUp()) return false;
        if (error instanceof Refusal) {
          state = "given up";
          say(loggerRefuses({ title, address, why: whyFailed(error), directory }));
          return false;
        }
        if (!isBroken) say(loggerUnreachable({ title, address, why: whyFailed(error), directory }));
        isBroken = true;
        await pause(wait);
        if (isGivenUp()) return false;
      }
    }
  };
  // A function: the state changes while it waits.
  const isGivenUp = (): boolean => state === "given up";

  const begin = async (): Promise<void> => {
    if (record === null) {
      record = freshRecord(address, await server.begin(run));
      await writeSent(directory, name, record);
    } else if (!isTold) {
      await server.goOn(record.id);
    }
    isTold = true;
  };

  /** Sends these, and remembers that they are. */
  const send = async (found: readonly ToSend[]): Promise<void> => {
    await begin();
    if (record === null) throw new Error("internal: a run that has not begun");
    const { id } = record;
    const batch = found.flatMap(({ row }): readonly Row[] => (row === null ? [] : [row]));
    if (batch.length > 0) await server.send(id, batch);
    const turn = found.findLast((one) => one.turn !== null)?.turn ?? null;
    if (turn !== null && turn !== "start") await server.end(id, turn.reason, turn.timeMs);
    else if (turn === "start" && isEnded) await server.goOn(id);
    if (turn !== null) isEnded = turn !== "start";
    const last = found.at(-1);
    if (last === undefined) return;
    record = { ...record, sent: last.sent };
    await writeSent(directory, name, record);
    sentRows += batch.length;
  };

  const follow = async (): Promise<void> => {
    for (;;) {
      // Asked before the look: what is written until then is seen by it.
      const isLast = state === "closing";
      const { lines, hasMore } = await tail.read();
      const found = lines.flatMap((line): readonly ToSend[] => {
        const event = eventOf(line);
        const one = event && rows.take(event);
        return one === null ? [] : [one];
      });
      for (let i = 0; i < found.length; i += mostRows) {
        if (!(await persistently(() => send(found.slice(i, i + mostRows))))) return;
      }
      if (hasMore) continue;
      if (isLast) {
        isAll = true;
        return;
      }
      await pause(lookEvery);
    }
  };

  const following = follow().catch((error: unknown) => {
    state = "given up";
    say(logNotSent({ title, address, why: whyFailed(error), directory }));
  });

  return {
    event: () => {},
    done: () => ({ rows: sentRows, isAll }),
    close: async () => {
      if (isGivenUp()) return;
      state = "closing";
      wake();
      let isLate = false;
      let timer: ReturnType<typeof setTimeout> | undefined;
      const deadline = new Promise<void>((resolve) => {
        timer = setTimeout(() => {
          isLate = true;
          resolve();
        }, closeWithin);
      });
      await Promise.race([following, deadline]);
      clearTimeout(timer);
      if (!isLate || isGivenUp()) return;
      state = "given up";
      wake();
      options.abort();
      await following;
      say(logNotSent({ title, address, why: `it did not answer within ${closeWithin / 1000} s`, directory }));
    },
  };
}
