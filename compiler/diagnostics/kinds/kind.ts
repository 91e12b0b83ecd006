/** What an entry of the catalogue is, and phrases that several of them share. */
import type { Problem, Severity } from "../diagnostic";

export type Said = { readonly what: string; readonly found?: string; readonly want?: string; readonly hint?: string };

/** Makes the problem from its facts, and knows what the page of errors says of it. */
export interface ErrorKind<Facts> {
  (facts: Facts): Problem;
  readonly code: string;
  readonly meaning: string;
}

/** `meaning` says for the page of errors when it occurs, and what to do where `say` does not. */
export function kind<Facts = void>(code: string, meaning: string, say: (facts: Facts) => Said): ErrorKind<Facts> {
  return entry("error", code, meaning, say);
}

/** The same of what stops nothing. */
export function warning<Facts = void>(code: string, meaning: string, say: (facts: Facts) => Said): ErrorKind<Facts> {
  return entry("warning", code, meaning, say);
}

function entry<Facts>(
  severity: Severity,
  code: string,
  meaning: string,
  say: (facts: Facts) => Said,
): ErrorKind<Facts> {
  const make = (facts: Facts): Problem => ({ code, severity, found: null, want: null, hint: null, ...say(facts) });
  return Object.assign(make, { code, meaning });
}

/** “Did you mean …?” where a near word is known. */
export function didYouMean(near: string | null): { hint?: string } {
  return near === null ? {} : { hint: `Did you mean \`${near}\`?` };
}

export type FoundWant = { readonly found: string; readonly want: string };
