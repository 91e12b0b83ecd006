/** Exclusions of a grid: combinations that are left out. */
import { errors } from "../../compiler/diagnostics/catalogue";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic";
import { nearest } from "../../compiler/diagnostics/near";
import { canonicalJson, type JsonValue } from "../../compiler/spec/json";
import { problemAt, type SpecSource } from "../../compiler/spec/source";
import type { Axis, Found } from "./axes";
import type { Combination } from "./combination";
import type { GridInput } from "./grid";

export interface Exclusion {
  readonly kept: readonly Combination[];
  readonly diagnostics: readonly Diagnostic[];
}

export function excluded(
  source: SpecSource,
  what: { readonly grid: GridInput; readonly axes: readonly Axis[]; readonly combinations: readonly Combination[] },
): Exclusion {
  const { grid, axes, combinations } = what;
  const entries = grid.exclude ?? [];
  if (entries.length === 0) return { kept: combinations, diagnostics: [] };
  const swept = [...axes.flatMap(({ pointers }) => pointers), ...(grid.seeds === undefined ? [] : ["/seed"])];
  const found: Found[] = entries.flatMap((entry, i) =>
    Object.keys(entry)
      .filter((pointer) => !swept.includes(pointer))
      .map((pointer): Found => {
        const problem = errors.exclusionNotSwept({ swept, near: nearest(pointer, swept) });
        return { path: ["exclude", i, pointer], problem, part: "key" };
      }),
  );
  if (found.length > 0) return { kept: [], diagnostics: placed(source, found) };

  const texts = new Map<JsonValue, string>();
  const textOf = (value: JsonValue | undefined): string => {
    const known = value === undefined ? "" : (texts.get(value) ?? canonicalJson(value));
    if (value !== undefined) texts.set(value, known);
    return known;
  };
  const wanted = entries.map((entry) => Object.entries(entry).map(([key, value]) => [key, textOf(value)] as const));
  const matched = new Set<number>();
  const kept = combinations.filter(({ values }) => {
    let out = false;
    for (const [i, pairs] of wanted.entries()) {
      if (!pairs.every(([pointer, text]) => textOf(values[pointer]) === text)) continue;
      matched.add(i);
      out = true;
    }
    return !out;
  });
  const idle = wanted.flatMap((pairs, i): Found[] => {
    if (matched.has(i)) return [];
    const [never] = pairs.filter(
      ([pointer, text]) => !combinations.some((one) => textOf(one.values[pointer]) === text),
    );
    const hint = never === undefined ? "No point has all these values." : `\`${never[0]}\` is never ${never[1]}.`;
    return [{ path: ["exclude", i], problem: errors.exclusionMatchesNothing({ hint }) }];
  });
  if (idle.length > 0) return { kept: [], diagnostics: placed(source, idle) };
  if (kept.length > 0) return { kept, diagnostics: [] };
  const problem = errors.everythingExcluded({ points: combinations.length });
  return { kept, diagnostics: [problemAt(source, ["exclude"], problem, "key")] };
}

function placed(source: SpecSource, found: readonly Found[]): readonly Diagnostic[] {
  return found.map(({ path, problem, part }) => problemAt(source, path, problem, part));
}
