/** Sends the log of a run to the servers that it was to be logged to, from where they have it. */
import { join } from "node:path";
import { errors } from "../../compiler/diagnostics/catalogue";
import type { Problem } from "../../compiler/diagnostics/diagnostic";
import type { Cadence } from "../../runtime/loggers/remote/follow";
import { openRemote, type RemoteName, servers } from "../../runtime/loggers/remote/open";
import { lockOwner } from "../../runtime/loop/lock";
import { runFiles } from "../../runtime/loop/run-folder";
import { readExperiment } from "../report/runs";

export interface PushRequest {
  readonly run: string;
  /** Instead of those of the experiment. */
  readonly addresses: Readonly<Partial<Record<RemoteName, string>>>;
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly note: (line: string) => void;
  readonly cadence?: Partial<Cadence>;
}

export interface Pushed {
  readonly name: RemoteName;
  readonly address: string;
  /** Moments of the run that were sent. */
  readonly rows: number;
  /** Whether the server has the whole log now. */
  readonly isAll: boolean;
}

export type PushResult =
  | { readonly ok: true; readonly pushed: readonly Pushed[] }
  | { readonly ok: false; readonly problem: Problem };

/** Someone waits for it. */
const patienceMs = 30_000;

const remoteNames = Object.keys(servers) as RemoteName[]; // the keys of a total table

export async function pushLog({ run, addresses, variables, note, cadence }: PushRequest): Promise<PushResult> {
  const read = readExperiment(run);
  if ("problem" in read) return { ok: false, problem: read.problem };
  const { experiment } = read;
  const wanted = remoteNames.flatMap((name) => {
    const given = Object.values(addresses).some((address) => address !== undefined);
    const address = given ? addresses[name] : experiment.log?.[name];
    return typeof address === "string" ? [{ name, address }] : [];
  });
  if (wanted.length === 0) return { ok: false, problem: errors.nowhereToPush() };
  if (lockOwner(run) !== null) return { ok: false, problem: errors.pushedByItsTrainer() };
  const pushed: Pushed[] = [];
  for (const { name, address } of wanted) {
    const follower = openRemote({
      name,
      address,
      experiment,
      directory: run,
      log: join(run, runFiles.jsonl),
      goesOn: true,
      variables,
      note,
      cadence: { closeWithin: patienceMs, ...cadence },
    });
    await follower.close();
    pushed.push({ name, address, ...follower.done() });
  }
  return { ok: true, pushed };
}
