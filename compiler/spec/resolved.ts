/** Every field of an experiment with its value and where that comes from: what `ijepa inspect --resolved` prints. */
import { isObject, type JsonObject, type JsonPath, type JsonValue, pathText } from "./json";
import { originOf, type SpecSource } from "./source";

export interface ResolvedField {
  readonly path: string;
  readonly value: JsonValue;
  /** `base.json:3`, `--set optimization.epochs=5`, or null: a default. */
  readonly origin: string | null;
}

/** In the order of the schema. */
export function resolvedFields(spec: object, source: SpecSource): readonly ResolvedField[] {
  return leaves(asJson(spec), []).map(({ path, value }) => ({
    path: pathText(path),
    value,
    origin: originOf(source, path),
  }));
}

/** The whole spec as JSON with comments: it is a spec again, and says what each value comes from. */
export function resolvedText(spec: object, source: SpecSource): string {
  return `${linesOf(asJson(spec), [], source).join("\n")}\n`;
}

function asJson(spec: object): JsonObject {
  // Records of plain values.
  const copy: JsonValue = JSON.parse(JSON.stringify(spec));
  if (!isObject(copy)) throw new Error("internal: a spec that is no object");
  return copy;
}

function leaves(value: JsonValue, path: JsonPath): readonly { readonly path: JsonPath; readonly value: JsonValue }[] {
  if (!isObject(value)) return [{ path, value }];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, key]));
}

function linesOf(object: JsonObject, path: JsonPath, source: SpecSource): readonly string[] {
  const pad = "  ".repeat(path.length + 1);
  const entries = Object.entries(object);
  const inner = entries.flatMap(([key, value], i) => {
    const comma = i === entries.length - 1 ? "" : ",";
    const name = `${pad}${JSON.stringify(key)}: `;
    if (!isObject(value)) {
      const text = JSON.stringify(value).replaceAll(",", ", ");
      // A text keeps its commas.
      const shown = typeof value === "string" ? JSON.stringify(value) : text;
      return [`${name}${shown}${comma} // ${originOf(source, [...path, key]) ?? "default"}`];
    }
    const [open = "", ...rest] = linesOf(value, [...path, key], source);
    return [`${name}${open}`, ...rest.slice(0, -1), `${rest.at(-1)}${comma}`];
  });
  return ["{", ...inner, `${"  ".repeat(path.length)}}`];
}
