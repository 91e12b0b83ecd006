/** Where relative data paths start: at the folder of the spec, which the compiler writes beside the trainer. */
import { dirname, join, relative } from "node:path";
import { manifestBeside } from "./manifest";

/** Seen from where the trainer is started. A trainer that was copied without its manifest.json knows no other place than that. */
export function dataRootOf(bundle: string | null): string {
  const { dataFolder } = manifestBeside(bundle);
  return bundle === null || dataFolder === null ? "." : relative(".", join(dirname(bundle), dataFolder)) || ".";
}
