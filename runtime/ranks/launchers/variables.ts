/** Reading what launchers leave in the environment: whole numbers, with errors that name the variable. */
import { launcherVariableBroken, launcherVariableMissing } from "../../errors";

/** An environment, e.g. process.env. An empty variable counts as one that is not there. */
export type Variables = Readonly<Record<string, string | undefined>>;

export function has(variables: Variables, name: string): boolean {
  return textOf(variables, name) !== null;
}

export function textOf(variables: Variables, name: string): string | null {
  const text = variables[name]?.trim();
  return text === undefined || text === "" ? null : text;
}

/** Null where it is missing. Throws R190 where it is no whole number of `least` or more. */
export function countOf(variables: Variables, name: string, least: number): number | null {
  const text = textOf(variables, name);
  if (text === null) return null;
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least) {
    throw launcherVariableBroken({ variable: name, value: text, wanted: `a whole number, ${least} or more` });
  }
  return value;
}

/** A pair of rank and size that belong together. Throws R190 or R191. */
export function placeOf(
  variables: Variables,
  names: { readonly rank: string; readonly size: string; readonly launcher: string },
): { readonly rank: number; readonly size: number } {
  const size = countOf(variables, names.size, 1);
  const rank = countOf(variables, names.rank, 0);
  if (size === null)
    throw launcherVariableMissing({ variable: names.size, beside: names.rank, launcher: names.launcher });
  if (rank === null)
    throw launcherVariableMissing({ variable: names.rank, beside: names.size, launcher: names.launcher });
  if (rank >= size) {
    throw launcherVariableBroken({
      variable: names.rank,
      value: String(rank),
      wanted: `less than ${names.size}, which is ${size}: ranks count from 0`,
    });
  }
  return { rank, size };
}

/** Rank and number of the ranks on one host, where both are told. Throws R190. */
export function localPlaceOf(
  variables: Variables,
  names: { readonly rank: string; readonly size: string },
): { readonly localRank: number | null; readonly localSize: number | null } {
  const localRank = countOf(variables, names.rank, 0);
  const localSize = countOf(variables, names.size, 1);
  if (localRank !== null && localSize !== null && localRank >= localSize) {
    throw launcherVariableBroken({
      variable: names.rank,
      value: String(localRank),
      wanted: `less than ${names.size}, which is ${localSize}: ranks count from 0`,
    });
  }
  return { localRank, localSize };
}

/** MASTER_ADDR and MASTER_PORT, where both are set. Throws R190 where the port is none. */
export function addressOf(variables: Variables): { readonly host: string; readonly port: number } | null {
  const host = textOf(variables, "MASTER_ADDR");
  const port = countOf(variables, "MASTER_PORT", 1);
  return host === null || port === null ? null : { host, port };
}
