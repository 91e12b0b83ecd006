/**
 * Ray's Jobs REST API, as far as a sweep needs it:
 * https://docs.ray.io/en/latest/cluster/running-applications/job-submission/rest.html
 */
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";

export interface RayJobRequest {
  /** A line for a shell (/bin/sh). */
  readonly entrypoint: string;
  readonly submission_id: string;
  readonly runtime_env: { readonly env_vars: Readonly<Record<string, string>> };
  readonly metadata: Readonly<Record<string, string>>;
  readonly entrypoint_num_cpus: number;
  readonly entrypoint_num_gpus: number;
  readonly entrypoint_memory?: number;
  readonly entrypoint_resources?: Readonly<Record<string, number>>;
}

export interface RayJob {
  /** PENDING, RUNNING, STOPPED, SUCCEEDED or FAILED. */
  readonly status: string;
  readonly message: string;
  /** Ray's word for its own failures, such as JOB_SUPERVISOR_ACTOR_START_TIMEOUT; empty where it has none. */
  readonly errorType: string;
  readonly exitCode: number | null;
  /** Address of the node that it runs on; empty where Ray does not say. */
  readonly node: string;
}

export type RayAnswer<T> =
  | { readonly ok: true; readonly value: T }
  /** `status` is that of HTTP, null where nobody answered. */
  | { readonly ok: false; readonly status: number | null; readonly said: string };

export interface RayClient {
  version(): Promise<RayAnswer<string>>;
  submit(request: RayJobRequest): Promise<RayAnswer<null>>;
  /** Null where there is no such job. */
  job(id: string): Promise<RayAnswer<RayJob | null>>;
  stop(id: string): Promise<RayAnswer<null>>;
}

const timeoutMs = 60_000;

/** `address` begins with http:// or https://; `headers` go with every request (a token, say). */
export function rayClient(address: string, headers: Readonly<Record<string, string>>): RayClient {
  const base = address.replace(/\/+$/, "");
  const ask = async (method: "GET" | "POST", path: string, body?: object): Promise<RayAnswer<unknown>> => {
    try {
      const { status, text } = await request(method, `${base}${path}`, headers, body);
      if (status < 200 || status > 299) return { ok: false, status, said: lastLine(text) };
      try {
        return { ok: true, value: JSON.parse(text) };
      } catch {
        return { ok: false, status, said: "the answer is no JSON" };
      }
    } catch (error) {
      return { ok: false, status: null, said: reasonOf(error) };
    }
  };
  const path = (id: string, rest = ""): string => `/api/jobs/${encodeURIComponent(id)}${rest}`;
  return {
    version: async () => {
      const answer = await ask("GET", "/api/version");
      if (!answer.ok) return answer;
      const version = textOf(answer.value, "ray_version");
      if (version === "") return { ok: false, status: 200, said: "the answer is not that of Ray" };
      return { ok: true, value: version };
    },
    submit: async (request) => {
      const answer = await ask("POST", "/api/jobs/", request);
      return answer.ok ? { ok: true, value: null } : answer;
    },
    job: async (id) => {
      const answer = await ask("GET", path(id));
      if (answer.ok) return { ok: true, value: jobOf(answer.value) };
      return answer.status === 404 ? { ok: true, value: null } : answer;
    },
    stop: async (id) => {
      const answer = await ask("POST", path(id, "/stop"));
      return answer.ok ? { ok: true, value: null } : answer;
    },
  };
}

/** Not by fetch: its Sec-Fetch-Mode header makes Ray refuse a POST as one of a browser. */
function request(
  method: string,
  url: string,
  headers: Readonly<Record<string, string>>,
  body: object | undefined,
): Promise<{ readonly status: number; readonly text: string }> {
  const content = body === undefined ? null : JSON.stringify(body);
  const all = { ...headers, ...(content !== null && { "content-type": "application/json" }) };
  return new Promise((resolve, reject) => {
    const call = url.startsWith("https:") ? httpsRequest : httpRequest;
    const sent = call(url, { method, headers: all, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => {
        text += part;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end(content ?? undefined);
  });
}

function jobOf(value: unknown): RayJob {
  const exitCode = fieldOf(value, "driver_exit_code");
  return {
    status: textOf(value, "status"),
    message: textOf(value, "message"),
    errorType: textOf(value, "error_type"),
    exitCode: typeof exitCode === "number" ? exitCode : null,
    node:
      textOf(fieldOf(value, "driver_info"), "node_ip_address") || hostOf(textOf(value, "driver_agent_http_address")),
  };
}

const hostOf = (address: string): string => (URL.canParse(address) ? new URL(address).hostname : "");

/** Ray answers an error with a Python traceback, whose last line says what it is. */
const lastLine = (text: string): string => text.trim().split("\n").at(-1)?.trim() || "no reason";

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ("code" in error && error.code === "ABORT_ERR") return `no answer within ${timeoutMs / 1000} s`;
  // One error for each address of a host, with no words of its own.
  const [first] = error instanceof AggregateError ? error.errors : [];
  return first instanceof Error ? first.message : error.message;
}

function fieldOf(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null
    ? Object.entries(value).find(([name]) => name === key)?.[1]
    : undefined;
}

function textOf(value: unknown, key: string): string {
  const found = fieldOf(value, key);
  return typeof found === "string" ? found : "";
}
