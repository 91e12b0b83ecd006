/** Files of somebody else in the places of a trainer's: a folder of trainers may be named that is a project's own. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Compiled } from "../compile";
import { writtenBefore } from "./edits";
import { readManifest } from "./manifest";
import { besideTrainers } from "./write";

/** Nothing was written. `names` are never empty. */
export class FolderTaken extends Error {
  constructor(
    readonly folder: string,
    readonly names: readonly string[],
  ) {
    super(`internal: ${folder} has files of somebody else`);
  }
}

/** Throws FolderTaken where writing these trainers below `out` would replace a file that no compiler wrote. */
export function refuseOthersFiles(out: string, trainers: readonly Pick<Compiled, "plan" | "files">[]): void {
  const taken = Object.entries(besideTrainers).flatMap(([name, isOurs]) => {
    const path = join(out, name);
    return existsSync(path) && !isOurs(readFileSync(path, "utf8")) ? [name] : [];
  });
  if (taken.length > 0) throw new FolderTaken(out, taken);
  for (const { plan, files } of trainers) {
    const folder = join(out, plan.experiment.name);
    if (readManifest(folder) !== null || writtenBefore(folder).length > 0) continue;
    const names = [...files.map(({ name }) => name), "train.js", "manifest.json"];
    const others = names.filter((name) => existsSync(join(folder, name)));
    if (others.length > 0) throw new FolderTaken(folder, others);
  }
}
