/**
 * A function whose reductions leave XLA: one program before them, whose last results the processes reduce, and one behind
 * them, which takes the means and alone replaces state. Plugins for processors know no other processes.
 */
import type { EngineFunction } from "../engine";
import type { Value } from "./builder";
import { assembled, type Part, type Program, type ProgramOptions, type Written, written } from "./program";

/** One program where nothing is reduced. */
export function programsAround(fn: EngineFunction, options: ProgramOptions): readonly Program[] {
  const whole = written(fn, options, true);
  const { settings } = options;
  const lines = new Lines(whole.lines);
  if (whole.cuts.length === 0) return [assembled({ ...whole, reduced: [] }, settings)];
  const means = whole.cuts.map(({ to }) => to.value.name);
  const isBehind = (value: Value): boolean => lines.neededFor([value]).reads(means);
  const between = whole.cuts.find(({ from }) => isBehind(from));
  if (between !== undefined) throw new Error(`internal: ${fn.name} reduces what was reduced before`);
  const outputs = (behind: boolean) => whole.outputs.filter(([, value]) => isBehind(value) === behind);
  const reduced = whole.cuts.map(({ from }) => from);
  return [
    assembled(partOf(lines, whole, { replaced: [], outputs: outputs(false), reduced }), settings),
    assembled(partOf(lines, whole, { replaced: whole.replaced, outputs: outputs(true), reduced: [] }), settings),
  ];
}

function partOf(lines: Lines, whole: Written, gives: Pick<Part, "replaced" | "outputs" | "reduced">): Part {
  const results = [...gives.replaced, ...gives.outputs].map(([, value]) => value).concat(gives.reduced);
  const needed = lines.neededFor(results);
  const given = [...whole.given, ...whole.cuts.map(({ to }) => to)];
  const read = new Set(given.map(({ value }) => value).filter(({ name }) => needed.reads([name])));
  return { name: whole.name, lines: needed.lines, given, read, ...gives };
}

/** The lines of a program and what each of them reads. */
class Lines {
  readonly #lines: readonly { readonly text: string; readonly makes: string; readonly reads: readonly string[] }[];

  constructor(lines: readonly string[]) {
    this.#lines = lines.map((text) => {
      const [makes = "", ...reads] = text.match(/%\d+/g) ?? [];
      return { text, makes, reads };
    });
  }

  neededFor(results: readonly Value[]) {
    const names = new Set(results.map(({ name }) => name));
    const kept: string[] = [];
    for (const { text, makes, reads } of this.#lines.toReversed()) {
      if (!names.has(makes)) continue;
      kept.push(text);
      for (const name of reads) names.add(name);
    }
    return { lines: kept.reverse(), reads: (wanted: readonly string[]) => wanted.some((name) => names.has(name)) };
  }
}
