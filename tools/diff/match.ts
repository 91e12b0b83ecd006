/** Finds declarations again that have another name: renamed, moved to another file, split, or joined. */
import { diffArrays } from "diff";

export interface Candidate {
  readonly file: string;
  readonly name: string;
  readonly text: string;
}

/** What became of what; one of the two lists has one entry. */
export interface Match<C extends Candidate> {
  readonly was: readonly C[];
  readonly is: readonly C[];
}

/** The share of the lines that must be the same: of a whole that is found again, and of a part that was in a whole. */
const WHOLE = 0.5;
const PART = 0.35;
/** The share of the lines of parts that no other part has as well. */
const OWN = 0.8;
/** Shorter lines, such as brackets, are the same everywhere. */
const LEAST_CHARACTERS = 12;
/** A declaration of fewer lines than these is too short to be known by them. */
const LEAST_LINES = 3;

/** Each declaration stands in one match at most; in the order of `added`. */
export function matches<C extends Candidate>(removed: readonly C[], added: readonly C[]): readonly Match<C>[] {
  const free = new Set([...removed, ...added].filter((each) => linesOf(each).length >= LEAST_LINES));
  const found: Match<C>[] = [];
  const take = (was: readonly C[], is: readonly C[]): void => {
    for (const each of [...was, ...is]) free.delete(each);
    found.push({ was, is });
  };
  const left = (all: readonly C[]): readonly C[] => all.filter((each) => free.has(each));

  for (const whole of left(removed)) {
    const parts = partsOf(whole, left(added));
    if (parts.length > 1) take([whole], parts);
  }
  for (const whole of left(added)) {
    const parts = partsOf(whole, left(removed));
    if (parts.length > 1) take(parts, [whole]);
  }
  for (const one of left(added)) {
    const likest = left(removed)
      .map((other) => ({ other, share: likeness(one, other) }))
      .filter(({ share }) => share >= WHOLE)
      .reduce<{ other: C; share: number } | null>(
        (best, each) => (best && best.share >= each.share ? best : each),
        null,
      );
    if (likest !== null) take([likest.other], [one]);
  }
  return found.sort((a, b) => position(added, a) - position(added, b));
}

const position = <C extends Candidate>(added: readonly C[], { is: [first] }: Match<C>): number =>
  first === undefined ? 0 : added.indexOf(first);

/** Those of the others that were most of it, if they were it together. */
function partsOf<C extends Candidate>(whole: C, others: readonly C[]): readonly C[] {
  const lines = linesOf(whole);
  const parts = others.filter((other) => common(linesOf(other), lines) >= PART * linesOf(other).length);
  const together = common(parts.flatMap(linesOf), lines);
  const apart = parts.reduce((sum, part) => sum + common(linesOf(part), lines), 0);
  return together >= WHOLE * lines.length && together >= OWN * apart ? parts : [];
}

/** The share of the lines of both that are the same. */
function likeness(a: Candidate, b: Candidate): number {
  const [first, second] = [linesOf(a), linesOf(b)];
  return (2 * common(first, second)) / (first.length + second.length);
}

function common(a: readonly string[], b: readonly string[]): number {
  const parts = diffArrays([...a], [...b]);
  return parts.reduce((sum, part) => sum + (part.added || part.removed ? 0 : part.count), 0);
}

/** What tells a declaration from another: without shapes at the end of a line, and without comments. */
function linesOf({ text }: Candidate): readonly string[] {
  return text
    .split("\n")
    .map((line) => line.replace(/(\S) *\/\/ .*$/, "$1").trim())
    .filter((line) => line.length >= LEAST_CHARACTERS && !/^(\/\*\*|\*)/.test(line));
}
