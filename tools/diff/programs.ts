/** The programs of two experiments side by side, by the tokens of a target block. */
import { isObject, type JsonObject } from "../../compiler/spec/json";

export interface ProgramSize {
  readonly contextTokens: number;
  readonly targetTokens: number;
  /** Share of the steps. */
  readonly probability: number;
}

/** Null on a side that has no program of so many target tokens. */
export interface ProgramChange {
  readonly a: ProgramSize | null;
  readonly b: ProgramSize | null;
}

/** All programs of both sides, where any of them differs; empty where they are the same. */
export function programChanges(a: JsonObject, b: JsonObject): readonly ProgramChange[] {
  const [was, is] = [programsOf(a), programsOf(b)];
  if (JSON.stringify(was) === JSON.stringify(is)) return [];
  const tokens = new Set([...was, ...is].map(({ targetTokens }) => targetTokens));
  const find = (all: readonly ProgramSize[], wanted: number) =>
    all.find(({ targetTokens }) => targetTokens === wanted) ?? null;
  return [...tokens].sort((x, y) => x - y).map((wanted) => ({ a: find(was, wanted), b: find(is, wanted) }));
}

export function programsOf({ masks }: JsonObject): readonly ProgramSize[] {
  const programs = isObject(masks) ? masks.programs : null;
  if (!Array.isArray(programs)) return [];
  return programs.filter(isObject).map(({ contextTokens, targetTokens, probability }) => ({
    contextTokens: Number(contextTokens),
    targetTokens: Number(targetTokens),
    probability: Number(probability),
  }));
}

/** `27 + 9` */
const tokensText = (size: ProgramSize | null): string =>
  size === null ? "(none)" : `${size.contextTokens} + ${size.targetTokens}`;

const shareText = (size: ProgramSize | null): string =>
  size === null ? "(none)" : `${(100 * size.probability).toFixed(1)} %`;

/** Tokens and share of each, before and after: `27 + 9 → 28 + 9`, `0.2 %`. */
export function programRow({ a, b }: ProgramChange): readonly [tokens: string, share: string] {
  const arrow = (was: string, is: string): string => (was === is ? is : `${was} → ${is}`);
  return [arrow(tokensText(a), tokensText(b)), arrow(shareText(a), shareText(b))];
}
