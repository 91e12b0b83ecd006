/** The experiments that the points of a grid change: its base, or those of an axis. */
import { dirname, isAbsolute, join } from "node:path";
import { errors } from "../../compiler/diagnostics/catalogue";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic";
import type { JsonObject, JsonPath } from "../../compiler/spec/json";
import { specOf } from "../../compiler/spec/load";
import { isGrid, readSpec } from "../../compiler/spec/read";
import { problemAt, type SpecSource } from "../../compiler/spec/source";
import type { GridInput } from "./grid";

export interface Base {
  readonly file: string;
  /** What it says, with what it extends, and where relative paths in it start. */
  readonly document: JsonObject;
  readonly folder: string;
  readonly seed: number;
}

export type Bases =
  | {
      readonly ok: true;
      /** In the order of the grid; there is one. */
      readonly all: readonly [Base, ...Base[]];
      /** By the name that the grid has for it; undefined: what the grid as a whole changes. */
      readonly of: (named: string | undefined) => Base;
    }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

export function basesOf(source: SpecSource, { base, axes = [] }: GridInput): Bases {
  const withBases = axes.flatMap(({ bases }, index) => (bases === undefined ? [] : [{ bases, index }]));
  const [first, second] = withBases;
  if ((base === undefined) === (first === undefined) || second !== undefined) {
    const places = [...(base === undefined ? [] : ['"base"']), ...withBases.map(({ index }) => `axes[${index}].bases`)];
    const path = second === undefined ? [] : ["axes", second.index, "bases"];
    const problem = errors.baseForm({ found: places.join(" and ") || "neither" });
    return { ok: false, diagnostics: [problemAt(source, path, problem, "key")] };
  }
  const named: readonly Named[] =
    first === undefined
      ? [{ file: base ?? "", path: ["base"] }]
      : first.bases.map((file, i) => ({ file, path: ["axes", first.index, "bases", i] }));
  const read = new Map(named.map((one) => [one.file, readBase(source, one)]));
  const diagnostics = [...read.values()].flatMap((one) => (one.ok ? [] : one.diagnostics));
  const found = new Map([...read].flatMap(([file, one]): [string, Base][] => (one.ok ? [[file, one.base]] : [])));
  const [any, ...others] = found.values();
  // A list without entries is an empty axis, and told as that.
  if (diagnostics.length > 0 || any === undefined) return { ok: false, diagnostics };
  return { ok: true, all: [any, ...others], of: (name) => (name === undefined ? any : (found.get(name) ?? any)) };
}

interface Named {
  readonly file: string;
  /** Its place in the grid. */
  readonly path: JsonPath;
}

type ReadBase =
  | { readonly ok: true; readonly base: Base }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** A base is a legal experiment by itself; what is wrong in it is told of its own file. */
function readBase(source: SpecSource, { file: named, path }: Named): ReadBase {
  const file = isAbsolute(named) ? named : join(dirname(source.file), named);
  const read = readSpec(file);
  if (!read.ok) {
    const told = read.diagnostics.map((one) => {
      if (one.place !== null) return one;
      return problemAt(source, path, { ...errors.baseUnusable({ base: file, said: one.what, hint: one.hint }) });
    });
    return { ok: false, diagnostics: told };
  }
  if (isGrid(read.value)) {
    return { ok: false, diagnostics: [problemAt(source, path, errors.baseIsGrid({ base: file }))] };
  }
  const loaded = specOf(read);
  if (!loaded.ok) return loaded;
  const { document, spec } = loaded;
  return { ok: true, base: { file, document, folder: loaded.source.folder, seed: spec.seed } };
}
