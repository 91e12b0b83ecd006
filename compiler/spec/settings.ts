/** `--set optimization.epochs=5`: one field of a spec, from the command line. */
import { type Node, type ParseError, parseTree } from "jsonc-parser";
import { errors } from "../diagnostics/catalogue";
import { type Diagnostic, unplaced } from "../diagnostics/diagnostic";
import type { JsonObject, JsonPath, JsonValue } from "./json";
import { plainValue } from "./read";
import { nodeAt, schemaRoot } from "./schema";
import { type Layer, settingFile } from "./source";

export interface Setting {
  readonly layer: Layer;
  readonly path: readonly string[];
  /** The value, and where it stands in the text of the layer. */
  readonly value: JsonValue;
  readonly node: Node;
}

export type ParsedSettings =
  | { readonly ok: true; readonly settings: readonly Setting[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** Deeper than any field; the parser would run out of stack at some depth. */
const mostBrackets = 64;

/** All of them in their order, or what is wrong with any. Whether their values are good is for the spec to say. */
export function parseSettings(texts: readonly string[]): ParsedSettings {
  const settings: Setting[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const text of texts) {
    const [, name = "", raw] = /^([^=]+)=(.*)$/su.exec(text) ?? [];
    const path = name.split(".");
    const isNested = (raw?.match(/[[{]/g)?.length ?? 0) > mostBrackets;
    if (raw === undefined || isNested || path.includes("")) {
      diagnostics.push(unplaced(null, errors.settingForm({ found: text })));
    } else settings.push(settingOf(text, path, raw));
  }
  return diagnostics.length > 0 ? { ok: false, diagnostics } : { ok: true, settings };
}

function settingOf(text: string, path: readonly string[], raw: string): Setting {
  const offset = text.length - raw.length;
  const leaf = valueNode(path, raw, offset);
  return {
    layer: { file: settingFile, text, root: nested(path, leaf, 0), folder: process.cwd() },
    path,
    value: plainValue(leaf, [], () => {}),
    node: leaf,
  };
}

/** JSON where it is JSON; else, and where the field is a text, the text itself, since a shell takes the quotes away. */
function valueNode(path: readonly string[], raw: string, offset: number): Node {
  const asText: Node = { type: "string", offset, length: raw.length, value: raw };
  if (nodeAt(schemaRoot, {}, path)?.type === "string" && !raw.startsWith('"')) return asText;
  const wrong: ParseError[] = [];
  // Blanks in the place of the name, so that places are those of the whole text.
  const node = parseTree(" ".repeat(offset) + raw, wrong, { allowTrailingComma: false });
  return node === undefined || wrong.length > 0 ? asText : node;
}

/** The tree of `{ "optimization": { "epochs": … } }` with the places of `optimization.epochs=…`. */
function nested([key = "", ...rest]: readonly string[], leaf: Node, offset: number): Node {
  const name: Node = { type: "string", offset, length: key.length, value: key };
  const value = rest.length === 0 ? leaf : nested(rest, leaf, offset + key.length + 1);
  const property: Node = { type: "property", offset, length: key.length, children: [name, value] };
  return { type: "object", offset, length: key.length, children: [property] };
}

/** `value` at the end of `path`, in objects of one key each. */
export function objectOf([key, ...rest]: JsonPath, value: JsonValue): JsonValue {
  if (key === undefined) return value;
  const object: { [key: string]: JsonValue } = Object.create(null);
  object[key] = objectOf(rest, value);
  return object satisfies JsonObject;
}
