/** The table of docs/data-speed.md: what was measured (docs/data-speed.json). */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type DataSpeedRecord, dataSpeedIntroduction, dataSpeedTable } from "../bench/data-record";
import { pageWith, root } from "./regions";

export function dataSpeedPage(): string {
  // Written by bench/data.ts, from this type.
  const record = JSON.parse(readFileSync(join(root, "docs/data-speed.json"), "utf8")) as DataSpeedRecord;
  const measured = `${dataSpeedIntroduction(record)}\n\n${dataSpeedTable(record)}`;
  return pageWith("docs/data-speed.md", { measured });
}
