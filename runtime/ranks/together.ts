/** What every rank does by itself, and where one failure is that of all: the run begins on all of them or on none. */
import { pid } from "node:process";
import { rankFailed } from "../errors";
import type { Communicator } from "./communicator";

/** Errors that every rank has met at the same place: they can end in good order, and rank 0 says why. */
const known = new WeakSet<object>();

export const isKnownToAll = (error: unknown): boolean =>
  typeof error === "object" && error !== null && known.has(error);

/**
 * Runs `work` on every rank, at the same place of their programs. Where it fails, it fails on all: with its own error where
 * that is the first rank to fail, with R200 on the others.
 */
export async function together<T>(
  ranks: Pick<Communicator, "rank" | "host" | "allGather">,
  what: string,
  work: () => Promise<T> | T,
): Promise<T> {
  const outcome = await attempt(work);
  const reason = "error" in outcome ? reasonOf(outcome.error) : "";
  const mine = { failed: "error" in outcome, reason, host: ranks.host, pid };
  const said = (await ranks.allGather(new TextEncoder().encode(JSON.stringify(mine)))).map(
    // all ranks run this function
    (bytes) => JSON.parse(new TextDecoder().decode(bytes)) as typeof mine,
  );
  const rank = said.findIndex(({ failed }) => failed);
  const first = said[rank];
  if (first === undefined) {
    if ("error" in outcome) throw outcome.error;
    return outcome.value;
  }
  const error = rank === ranks.rank && "error" in outcome ? outcome.error : rankFailed({ ...first, rank, doing: what });
  if (typeof error === "object" && error !== null) known.add(error);
  throw error;
}

async function attempt<T>(work: () => Promise<T> | T): Promise<{ readonly value: T } | { readonly error: unknown }> {
  try {
    return { value: await work() };
  } catch (error) {
    return { error };
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "code" in error && typeof error.code === "string" ? `${error.code}: ${error.message}` : error.message;
}
