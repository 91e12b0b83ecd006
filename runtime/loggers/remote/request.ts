/** One request to a server, and what its answer means for whoever would send it again. */

/** The server has understood, and says no: the same request again would not help. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
    /** The server's own word for it, where it gave one. */
    readonly reason: string | null = null,
  ) {
    super(message);
  }
}

const patienceMs = 30_000;

/** Statuses of the 400s that say "later" rather than "no". */
const later: ReadonlySet<number> = new Set([408, 425, 429]);

export interface Request {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: object;
  readonly signal: AbortSignal;
}

/** The answer as JSON, or null where it is none. Throws Refusal, or what keeps the server from answering. */
export async function request({ method, url, headers, body, signal }: Request): Promise<unknown> {
  const response = await fetch(url, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    // A redirection could take a token to another host.
    redirect: "error",
    signal: AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]),
  });
  const text = await response.text();
  const answer = jsonOf(text);
  if (response.ok) return answer;
  const said = saidIn(answer);
  const message = `it answered ${response.status}${said.message === null ? "" : `: ${said.message.slice(0, 200)}`}`;
  if (response.status < 500 && !later.has(response.status)) throw new Refusal(response.status, message, said.reason);
  throw new Error(message);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function saidIn(answer: unknown): { readonly message: string | null; readonly reason: string | null } {
  if (typeof answer !== "object" || answer === null) return { message: null, reason: null };
  const fields: Readonly<Record<string, unknown>> = { ...answer };
  const text = (value: unknown): string | null => (typeof value === "string" ? value : null);
  return {
    message: text(fields.message) ?? text(fields.error) ?? text(fields.detail),
    reason: text(fields.error_code),
  };
}

/** The text at a path of an answer. Throws Error where there is none: another program answers there. */
export function textIn(answer: unknown, ...path: readonly string[]): string {
  let at = answer;
  for (const name of path)
    at = typeof at === "object" && at !== null ? Object.entries(at).find(([key]) => key === name)?.[1] : null;
  if (typeof at !== "string") throw new Refusal(200, `its answer has no ${path.join(".")}`);
  return at;
}

/** Why a request failed, for people; without what a token could be in. */
export function whyFailed(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return `no answer within ${patienceMs / 1000} s`;
  // fetch says "fetch failed"; the cause says why.
  const { cause } = error;
  if (cause instanceof Error && "code" in cause && typeof cause.code === "string") return cause.code;
  return cause instanceof Error ? cause.message : error.message;
}
