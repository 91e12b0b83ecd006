/** Plain data as TypeScript: what experiment.ts holds. */
import { literal } from "./names";

const WIDTH = 110;

/** A value as TypeScript source; records break into lines where they are long. */
export function source(value: unknown, depth = 0): string {
  if (typeof value === "string") return literal(value);
  if (typeof value === "number" || typeof value === "boolean" || value === null) return String(value);
  if (typeof value !== "object") throw new Error(`internal: ${typeof value} is no constant`);
  const isList = Array.isArray(value);
  const parts = isList
    ? value.map((item) => source(item, depth + 1))
    : Object.entries(value).map(([name, item]) => `${name}: ${source(item, depth + 1)}`);
  const [open, close] = isList ? ["[", "]"] : ["{ ", " }"];
  const line = `${open}${parts.join(", ")}${close}`;
  if (depth > 0 && !line.includes("\n") && line.length + 2 * depth < WIDTH) return line;
  const pad = "  ".repeat(depth + 1);
  return `${open.trim()}\n${parts.map((part) => `${pad}${part},`).join("\n")}\n${"  ".repeat(depth)}${close.trim()}`;
}
