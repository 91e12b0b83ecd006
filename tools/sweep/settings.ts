/** `--set` for a sweep: the fields join `set` of the grid, which every point begins with. */
import type { Node } from "jsonc-parser";
import { isObject, type JsonObject } from "../../compiler/spec/json";
import { isGrid, type ReadResult } from "../../compiler/spec/read";
import { parseSettings, type Setting } from "../../compiler/spec/settings";
import type { Layer } from "../../compiler/spec/source";
import { pointerOf } from "./pointer";

/** A grid with the settings in it; whatever else was read is left as it is. */
export function withSettings(read: ReadResult, texts: readonly string[]): ReadResult {
  const parsed = parseSettings(texts);
  if (!parsed.ok) return { ok: false, diagnostics: [...parsed.diagnostics, ...(read.ok ? [] : read.diagnostics)] };
  if (!read.ok || !isGrid(read.value) || !isObject(read.value)) return read;
  const { source, value } = read;
  const said = Object.fromEntries(parsed.settings.map((setting) => [pointerOf(setting.path), setting.value]));
  const { set } = value;
  // Where `set` is no object, the schema says so.
  const merged: JsonObject =
    parsed.settings.length > 0 && (set === undefined || isObject(set)) ? { ...value, set: { ...set, ...said } } : value;
  const layers: readonly Layer[] = [...parsed.settings.map(layerOf).reverse(), ...source.layers];
  return { ok: true, source: { ...source, layers }, value: merged };
}

/** The setting as `{ "set": { "/optimization/epochs": 5 } }`, at the places of its own text. */
function layerOf({ layer, path, node }: Setting): Layer {
  const wrap = (key: string, value: Node): Node => {
    const name: Node = { type: "string", offset: 0, length: Math.max(1, node.offset - 1), value: key };
    return { ...name, type: "object", children: [{ ...name, type: "property", children: [name, value] }] };
  };
  return { ...layer, root: wrap("set", wrap(pointerOf(path), node)) };
}
