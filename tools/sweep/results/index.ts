/** What came out of a sweep: gathered from its run folders, and written beside them. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { generatorHash } from "../../../compiler/output/generator";
import { writeWhole } from "../../../compiler/output/write";
import { runFolder, type SweepFolders, sweepFolder } from "../folders";
import { stateOf } from "../state";
import type { Sweep } from "../sweep";
import { csvText } from "./csv";
import { type GatherOptions, gatherPoints } from "./gather";
import { htmlText } from "./html";
import { jsonText } from "./json";
import { markdownText } from "./markdown";
import type { Results } from "./results";
import { summarize } from "./summary";

export type { Results } from "./results";
export { bestText, resultsText } from "./text";

/** Files in the folder of a sweep, each with what writes it. */
const resultFiles = {
  "results.csv": csvText,
  "results.json": jsonText,
  "results.md": markdownText,
  "results.html": htmlText,
} as const;

/** Reads every run folder; works on a sweep of which only a part has run, or is running now. */
export function gatherResults(sweep: Sweep, options: GatherOptions): Results {
  return summarize(sweep, gatherPoints(sweep, options));
}

/** Gathers, and writes results.{csv,json,md,html} in the folder of the sweep, each whole. */
export function writeResults(sweep: Sweep, folders: SweepFolders): Results {
  const generator = generatorHash();
  const results = gatherResults(sweep, {
    folders,
    status: (point) => stateOf(runFolder(folders, sweep, point), { spec: point.hash, generator }),
  });
  const folder = sweepFolder(folders, sweep);
  mkdirSync(folder, { recursive: true });
  for (const [name, write] of Object.entries(resultFiles)) writeWhole(join(folder, name), write(results));
  return results;
}
