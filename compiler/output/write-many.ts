/** Trainers bundled together and written, each to a folder of its own. */
import { type BundleInput, bundleMany } from "../bundle/bundle";
import type { Compiled } from "../compile";
import { writeTrainer } from "./write";

/** Their folders below `out`, in order. */
export async function writeTrainers(out: string, trainers: readonly Compiled[]): Promise<readonly string[]> {
  const bundles = await bundleMany(trainers.map(bundleInput));
  return trainers.map((compiled, i) => {
    const bundle = bundles[i];
    if (bundle === undefined) throw new Error("internal: a bundle is missing");
    return writeTrainer({ out, compiled, bundle });
  });
}

/** What the bundle of a trainer is made from. */
export function bundleInput({ files }: Compiled): BundleInput {
  return { files: files.filter(({ name }) => name.endsWith(".ts")), banner: bannerOf(files) };
}

/** Header of main.ts, which tells what the bundle is. */
function bannerOf(files: Compiled["files"]): string {
  const main = files.find(({ name }) => name === "main.ts")?.text ?? "";
  return main.slice(0, main.indexOf("*/") + 2);
}
