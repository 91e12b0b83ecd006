/**
 * A tracking server of MLflow, by its REST interface (mlflow.org/docs/latest/rest-api.html). As for MLflow's own client,
 * MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, are the right to write, and
 * MLFLOW_EXPERIMENT_NAME says in which experiment the run stands.
 */
import { randomUUID } from "node:crypto";
import { Refusal, request, textIn } from "./request";
import type { Server, ServerOptions } from "./server";

/** Limits of one log-batch. */
const mostMetrics = 1000;
const mostParams = 100;
const longestParam = 500;

export function mlflowServer({ address, variables, signal }: ServerOptions): Server {
  const headers = authorization(variables);
  const call = (method: "GET" | "POST", path: string, body?: object): Promise<unknown> =>
    request({
      method,
      url: `${address.replace(/\/+$/, "")}/api/2.0/mlflow/${path}`,
      headers,
      signal,
      ...(body === undefined ? {} : { body }),
    });
  const experiment = variables.MLFLOW_EXPERIMENT_NAME ?? "ijepa";

  const experimentId = async (): Promise<string> => {
    const path = `experiments/get-by-name?experiment_name=${encodeURIComponent(experiment)}`;
    try {
      return textIn(await call("GET", path), "experiment", "experiment_id");
    } catch (error) {
      if (!(error instanceof Refusal) || error.reason !== "RESOURCE_DOES_NOT_EXIST") throw error;
    }
    try {
      return textIn(await call("POST", "experiments/create", { name: experiment }), "experiment_id");
    } catch (error) {
      // Another run has made it in the meantime.
      if (!(error instanceof Refusal) || error.reason !== "RESOURCE_ALREADY_EXISTS") throw error;
      return textIn(await call("GET", path), "experiment", "experiment_id");
    }
  };

  const start = randomUUID();
  let hasAsked = false;
  /** The run that an attempt has begun whose answer never came; null where there is none. */
  const begunBefore = async (experimentId: string): Promise<string | null> => {
    if (!hasAsked) return null;
    const found = await call("POST", "runs/search", {
      experiment_ids: [experimentId],
      filter: `tags."${startTag}" = '${start}'`,
    });
    return hasRuns(found) ? textIn(found.runs[0], "info", "run_id") : null;
  };

  return {
    title: "MLflow",
    address,
    begin: async ({ name, startedMs, constants }) => {
      const experiment_id = await experimentId();
      const before = await begunBefore(experiment_id);
      hasAsked = true;
      const tags = [
        { key: "mlflow.source.name", value: "ijepa" },
        { key: startTag, value: start },
      ];
      const run = { experiment_id, run_name: name, start_time: startedMs, tags };
      const id = before ?? textIn(await call("POST", "runs/create", run), "run", "info", "run_id");
      const params = [...constants].map(([key, value]) => ({ key, value: value.slice(0, longestParam) }));
      for (let i = 0; i < params.length; i += mostParams) {
        await call("POST", "runs/log-batch", { run_id: id, params: params.slice(i, i + mostParams) });
      }
      return id;
    },
    goOn: async (id) => {
      await call("POST", "runs/update", { run_id: id, status: "RUNNING" });
    },
    send: async (id, rows) => {
      const metrics = rows.flatMap(({ step, timeMs, metrics: of }) =>
        [...of].map(([key, value]) => ({ key, value, timestamp: Math.round(timeMs), step })),
      );
      for (let i = 0; i < metrics.length; i += mostMetrics) {
        await call("POST", "runs/log-batch", { run_id: id, metrics: metrics.slice(i, i + mostMetrics) });
      }
    },
    end: async (id, reason, timeMs) => {
      await call("POST", "runs/update", { run_id: id, status: statusOf(reason), end_time: Math.round(timeMs) });
    },
  };
}

/** Tells one start of a run from another of the same name. */
const startTag = "ijepa.start";

function hasRuns(answer: unknown): answer is { readonly runs: readonly unknown[] } {
  return (
    typeof answer === "object" &&
    answer !== null &&
    "runs" in answer &&
    Array.isArray(answer.runs) &&
    answer.runs.length > 0
  );
}

function statusOf(reason: string): "FINISHED" | "FAILED" | "KILLED" {
  if (reason === "failed") return "FAILED";
  return reason.startsWith("SIG") ? "KILLED" : "FINISHED";
}

function authorization(variables: ServerOptions["variables"]): Readonly<Record<string, string>> {
  const {
    MLFLOW_TRACKING_TOKEN: token,
    MLFLOW_TRACKING_USERNAME: user,
    MLFLOW_TRACKING_PASSWORD: password,
  } = variables;
  if (user !== undefined && password !== undefined) {
    return { Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` };
  }
  return token === undefined || token === "" ? {} : { Authorization: `Bearer ${token}` };
}
