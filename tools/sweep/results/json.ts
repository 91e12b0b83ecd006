/** results.json: everything, for programs. Keys stay in every version; new ones may come. */
import type { Results } from "./results";

const format = { name: "ijepa sweep results", version: 1 } as const;

export function jsonText(results: Results): string {
  return `${JSON.stringify({ format, ...results }, null, 1)}\n`;
}
