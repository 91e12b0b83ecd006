/** `ijepa pack SPEC`: a trainer with all that it needs, as a folder and an archive for a machine without Node or network. */
import { relative } from "node:path";
import { bundle } from "../compiler/bundle/bundle";
import { errors, exitCode } from "../compiler/diagnostics/catalogue";
import { type Diagnostic, unplaced } from "../compiler/diagnostics/diagnostic";
import { bundleInput } from "../compiler/output/write-many";
import { loadWithHardware } from "../tools/pack/hardware";
import { takesPlugin } from "../tools/pack/needs";
import { packageOf } from "../tools/pack/pack";
import { writePackage } from "../tools/pack/write";
import { printDiagnostics } from "./print";
import { namedSpec } from "./specs";
import { compiled } from "./write-specs";

export interface PackOptions {
  readonly out: string;
  readonly node?: boolean;
  readonly engine?: string;
  readonly device?: string;
  readonly precision?: string;
  readonly pjrtPlugin?: string;
}

function refused(diagnostics: readonly Diagnostic[]): number {
  printDiagnostics(diagnostics);
  return exitCode(diagnostics);
}

/** Resolves to the exit code: 0 written, 1 the spec is wrong, 2 could not pack. */
export async function pack(file: string, options: PackOptions): Promise<number> {
  const { out, node = false, engine, device, precision, pjrtPlugin } = options;
  const loaded = loadWithHardware(file, { engine, device, precision });
  if (!loaded.ok) return refused(loaded.diagnostics);
  const { spec, text } = loaded;
  if (pjrtPlugin !== undefined && !takesPlugin(spec.hardware.engine)) {
    const what = `--pjrt-plugin is of no use to engine ${spec.hardware.engine}`;
    return refused([
      unplaced(
        null,
        errors.badUsage({ what, hint: "Leave it out, or choose an engine with --engine that takes one." }),
      ),
    ]);
  }
  const {
    good: [good],
    faults: [fault],
  } = compiled(out, [namedSpec(file, loaded)]);
  if (good === undefined) throw fault ?? new Error("internal: a spec gave neither a trainer nor a fault");
  const made = packageOf({
    spec,
    specText: text,
    bundle: await bundle(bundleInput(good.compiled)),
    withNode: node,
    plugin: pjrtPlugin ?? null,
    folder: process.cwd(),
  });
  if (!made.ok) return refused(made.diagnostics);
  const result = await writePackage(made.contents, { out });
  if (!result.ok) return refused([result.diagnostic]);
  const { folder, folderBytes, archive, archiveBytes } = result.written;
  const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
  const here = (path: string): string => relative(".", path) || ".";
  process.stdout.write(
    `${file} → ${here(folder)} (${megabytes(folderBytes)}), ${here(archive)} (${megabytes(archiveBytes)})\n` +
      `Train with: sh ${here(folder)}/train.sh\n`,
  );
  return 0;
}
