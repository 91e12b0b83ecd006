/**
 * The tables of docs/engines.md: speeds from docs/bench.json, which `npm run bench -- --record docs/bench.json` writes, and
 * precisions from docs/precision.json.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BenchRecord, introduction, tableOf } from "../bench/record";
import { withPrecision } from "./precision-page";

const docs = fileURLToPath(new URL("../docs", import.meta.url));
const [begin, end] = ["<!-- bench:begin -->", "<!-- bench:end -->"];

/** docs/engines.md with its tables as they should be. */
export function enginesPage(): string {
  const page = readFileSync(join(docs, "engines.md"), "utf8");
  // Written by bench/step.ts, from this type.
  const record = JSON.parse(readFileSync(join(docs, "bench.json"), "utf8")) as BenchRecord;
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/engines.md lacks ${begin} … ${end}`);
  const tables = [introduction(record), ...record.subjects.map(tableOf)].join("\n\n");
  return withPrecision(`${page.slice(0, from + begin.length)}\n\n${tables}\n\n${page.slice(to)}`);
}
