/**
 * A server of Trackio (`trackio show`, or one that is hosted), by the request that its own client sends. As for that client,
 * TRACKIO_WRITE_TOKEN is the right to write and TRACKIO_PROJECT the project of the run. The server notes when it got a number,
 * not when it was logged.
 */
import { randomUUID } from "node:crypto";
import { request } from "./request";
import type { Server, ServerOptions } from "./server";

export function trackioServer({ address, variables, signal }: ServerOptions): Server {
  const project = variables.TRACKIO_PROJECT ?? "ijepa";
  const { TRACKIO_WRITE_TOKEN: token } = variables;
  const headers: Readonly<Record<string, string>> =
    token === undefined || token === "" ? {} : { "X-Trackio-Write-Token": token };
  const log = (logs: readonly object[]): Promise<unknown> =>
    request({
      method: "POST",
      url: `${address.replace(/\/+$/, "")}/api/bulk_log`,
      headers,
      body: { logs, hf_token: null },
      signal,
    });
  // What the server calls a run is its name and a number that it is told from others of that name by.
  const entryOf = (id: string): object => {
    const [runId = "", ...name] = id.split(" ");
    return { project, run: name.join(" "), run_id: runId };
  };
  return {
    title: "Trackio",
    address,
    begin: async ({ name, constants }) => {
      const id = `${randomUUID()} ${name}`;
      const config = Object.fromEntries(constants);
      await log([{ ...entryOf(id), metrics: {}, step: 0, config, log_id: `${id} begin` }]);
      return id;
    },
    goOn: async () => {},
    send: async (id, rows) => {
      await log(
        rows.map(({ step, metrics }) => ({
          ...entryOf(id),
          metrics: Object.fromEntries(metrics),
          step,
          // Sent twice, it counts once.
          log_id: `${id} ${step} ${[...metrics.keys()][0] ?? ""}`,
        })),
      );
    },
    end: async () => {},
  };
}
