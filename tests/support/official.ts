/** The numbers of the official implementation (tests/golden/official/README.md). */
import { readFileSync } from "node:fs";

export const officialPath = (name: string): string => new URL(`../golden/official/${name}`, import.meta.url).pathname;

/** A JSON file of official numbers; the caller states its shape, which its own checks then rely on. */
export function officialJson<T>(name: string): T {
  return JSON.parse(readFileSync(officialPath(name), "utf8")) as T; // JSON has no type of its own
}
