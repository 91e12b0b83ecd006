/** Where relative data paths start: at the folder of the spec, which the compiler writes beside the trainer. */
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

/** Seen from where the trainer is started. A trainer that was copied without its manifest.json knows no other place than that. */
export function dataRootOf(bundle: string | null): string {
  if (bundle === null) return ".";
  try {
    const manifest: { readonly dataFolder?: unknown } = JSON.parse(
      readFileSync(join(dirname(bundle), "manifest.json"), "utf8"),
    );
    const { dataFolder } = manifest;
    return typeof dataFolder === "string" ? relative(".", join(dirname(bundle), dataFolder)) || "." : ".";
  } catch {
    return ".";
  }
}
