/** Where the values of a spec stand, so that errors can point at them: in its file, in one that it extends, in `--set`. */
import type { Node } from "jsonc-parser";
import type { Diagnostic, Place, Problem } from "../diagnostics/diagnostic";
import { type JsonPath, pathText } from "./json";

/** A text with the tree of its values. */
export interface Layer {
  /** The file as the user named it, or `--set`. */
  readonly file: string;
  readonly text: string;
  readonly root: Node;
  /** Absolute: where relative paths in it start. */
  readonly folder: string;
}

/** The text of a spec, with everything that is laid over it and under it. */
export interface SpecSource extends Layer {
  /** The experiment's name where nothing else is said. */
  readonly name: string;
  /** What says something of the experiment, the first wins: `--set`, the file, and what that extends. */
  readonly layers: readonly Layer[];
}

interface Found {
  readonly layer: Layer;
  readonly node: Node;
  readonly key: Node | undefined;
  /** How many steps of the path the layer has. */
  readonly steps: number;
}

function follow(layer: Layer, path: JsonPath): Found {
  let node = layer.root;
  let key: Node | undefined;
  let steps = 0;
  for (const step of path) {
    const property =
      typeof step === "string" ? node.children?.find((child) => child.children?.[0]?.value === step) : undefined;
    const next = typeof step === "number" ? node.children?.[step] : property?.children?.[1];
    if (next === undefined) break;
    node = next;
    key = property?.children?.[0];
    steps += 1;
  }
  return { layer, node, key, steps };
}

/** A problem at `path`, in the layer that decides it; where none has that path, at the nearest thing around it. */
export function problemAt(
  source: SpecSource,
  path: JsonPath,
  problem: Problem,
  part: "key" | "value" = "value",
): Diagnostic {
  const all = source.layers.map((layer) => follow(layer, path));
  const most = Math.max(...all.map(({ steps }) => steps));
  // What nobody says is missing in the file itself.
  const found = (most === 0 ? undefined : all.find(({ steps }) => steps === most)) ?? follow(source, path);
  const pointed = part === "key" && found.key !== undefined ? found.key : found.node;
  // An object is pointed at by its brace: what it holds is not what is wrong.
  const length = pointed.type === "object" ? 1 : pointed.length;
  const { file, text } = found.layer;
  return { ...problem, file, place: placeAt(text, pointed.offset, length), path: pathText(path) };
}

/** Where the value at `path` stands: `base.json:3`, `--set optimization.epochs=5`; null where nobody says it. */
export function originOf(source: SpecSource, path: JsonPath): string | null {
  const found = source.layers.map((layer) => follow(layer, path)).find(({ steps }) => steps === path.length);
  if (found === undefined) return null;
  const { layer, node } = found;
  return layer.file === settingFile
    ? `${settingFile} ${layer.text}`
    : `${layer.file}:${placeAt(layer.text, node.offset, 1).line}`;
}

/** The name of the layer of a `--set`. */
export const settingFile = "--set";

export function placeAt(text: string, offset: number, length: number): Place {
  const before = text.slice(0, offset);
  const lineStart = Math.max(before.lastIndexOf("\n"), before.lastIndexOf("\r")) + 1;
  const line = before.split(/\r\n|\n|\r/).length;
  const lineText = /^[^\r\n]*/.exec(text.slice(lineStart))?.[0] ?? "";
  const column = offset - lineStart + 1;
  return { line, column, length: Math.max(1, Math.min(length, lineText.length - column + 1)), lineText };
}
