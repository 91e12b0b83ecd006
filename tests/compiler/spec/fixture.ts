/** A valid spec to make mistakes in, and errors as one line each. */
import { oneLine } from "../../../compiler/diagnostics/diagnostic";
import { isObject, type JsonObject, type JsonValue } from "../../../compiler/spec/json";
import { type LoadedSpec, specFromText } from "../../../compiler/spec/load";

export const valid = {
  image: { size: 224 },
  encoder: { size: "tiny", patch: 16 },
  data: { source: "shapes" },
} as const;

/** The document with one field set (or, with undefined, taken away); the path is in dots. */
export function withField(document: JsonObject, path: string, value: JsonValue | undefined): JsonObject {
  const [key = "", ...rest] = path.split(".");
  const { [key]: old, ...others } = document;
  if (rest.length === 0) return value === undefined ? others : { ...document, [key]: value };
  const inner = isObject(old) ? old : {};
  return { ...document, [key]: withField(inner, rest.join("."), value) };
}

/** What is wrong with a text, one line each, without the place. */
export function complaints(text: string): string[] {
  return lines(specFromText({ text, file: "x.json" })).map((line) => line.replace(/^x\.json(:\d+:\d+)? /, ""));
}

/** The same with the place. */
export function placedComplaints(text: string): string[] {
  return lines(specFromText({ text, file: "x.json" }));
}

export function lines(loaded: LoadedSpec): string[] {
  return loaded.ok ? [] : loaded.diagnostics.map(oneLine);
}
