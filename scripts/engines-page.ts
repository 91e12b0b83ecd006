/**
 * The tables of docs/engines.md: speeds from docs/bench.json, which `npm run bench -- --record docs/bench.json` writes, and
 * precisions from docs/precision.json.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type BenchRecord, introduction, tableOf } from "../bench/record";
import { precisionSection } from "./precision-page";
import { pageWith, root } from "./regions";

/** docs/engines.md with its tables as they should be. */
export function enginesPage(): string {
  // Written by bench/step.ts, from this type.
  const record = JSON.parse(readFileSync(join(root, "docs/bench.json"), "utf8")) as BenchRecord;
  return pageWith("docs/engines.md", {
    bench: [introduction(record), ...record.subjects.map(tableOf)].join("\n\n"),
    precision: precisionSection(),
  });
}
