/** Trainers bundled together and written, each to a folder of its own, unless a person has edited what lies there. */
import { join } from "node:path";
import { type BundleInput, bundleMany } from "../bundle/bundle";
import type { Compiled } from "../compile";
import type { GeneratedFile } from "../emit/code";
import { type Edits, editsIn } from "./edits";
import { refuseOthersFiles } from "./others";
import { writeTrainer } from "./write";

export interface WriteOptions {
  /** Also over files that were edited by hand. */
  readonly force?: boolean;
}

export type WriteResult =
  | { readonly ok: true; readonly folder: string }
  /** Nothing of the trainer was written. */
  | { readonly ok: false; readonly edits: Edits };

/** To folders of their names below `out`, in order. Throws FolderTaken before anything is written. */
export async function writeTrainers(
  out: string,
  trainers: readonly Compiled[],
  { force = false }: WriteOptions = {},
): Promise<readonly WriteResult[]> {
  refuseOthersFiles(out, trainers);
  const checked = trainers.map((compiled) => {
    const folder = join(out, compiled.plan.experiment.name);
    return { compiled, edits: force ? null : editsIn(folder, compiled.files) };
  });
  const bundles = await bundleMany(
    checked.flatMap(({ compiled, edits }) => (edits === null ? [bundleInput(compiled)] : [])),
  );
  const next = bundles.values();
  return checked.map(({ compiled, edits }): WriteResult => {
    if (edits !== null) return { ok: false, edits };
    const { value: bundle } = next.next();
    if (bundle === undefined) throw new Error("internal: a bundle is missing");
    return { ok: true, folder: writeTrainer({ out, compiled, bundle }) };
  });
}

/** What the bundle of a trainer is made from. */
export function bundleInput({ files }: Compiled): BundleInput {
  return { files: files.filter(({ name }) => name.endsWith(".ts")), banner: bannerOf(files) };
}

/** Header of main.ts, which tells what the bundle is. */
export function bannerOf(files: readonly GeneratedFile[]): string {
  const main = files.find(({ name }) => name === "main.ts")?.text ?? "";
  return main.slice(0, main.indexOf("*/") + 2);
}
