/** A run's log on a server, by the kind of server. */
import type { Experiment } from "../../experiment";
import type { LoggerName } from "../logger";
import { factsOf } from "./facts";
import { type Cadence, type Follower, followLog } from "./follow";
import { mlflowServer } from "./mlflow";
import type { Server, ServerOptions } from "./server";
import { trackioServer } from "./trackio";

export type RemoteName = Exclude<LoggerName, "tensorboard">;

export const servers: { readonly [N in RemoteName]: (options: ServerOptions) => Server } = {
  mlflow: mlflowServer,
  trackio: trackioServer,
};

export interface RemoteOptions {
  readonly name: RemoteName;
  readonly address: string;
  readonly experiment: Experiment;
  readonly directory: string;
  /** log.jsonl of the run. */
  readonly log: string;
  readonly goesOn: boolean;
  readonly variables: ServerOptions["variables"];
  readonly note: (line: string) => void;
  readonly cadence?: Partial<Cadence>;
}

export function openRemote({ name, address, experiment, variables, ...options }: RemoteOptions): Follower {
  const broken = new AbortController();
  const server = servers[name]({ address, variables, signal: broken.signal });
  const run = factsOf(experiment, options.directory, Date.now());
  return followLog({ ...options, name, server, run, abort: () => broken.abort() });
}
