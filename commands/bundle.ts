/** `ijepa bundle FOLDER…`: the bundle of a trainer as it lies there, edits by hand included. */
import { join, relative, resolve } from "node:path";
import { errors, exitCode } from "../compiler/diagnostics/catalogue";
import { type Diagnostic, unplaced } from "../compiler/diagnostics/diagnostic";
import type { TypeFault } from "../compiler/emit/check";
import { bundleFolder, readTrainer, type TrainerFolder } from "../compiler/output/bundle-folder";
import { writeWhole } from "../compiler/output/write";
import { defaultFormat, type ProblemFormat } from "./format";
import { printDiagnostics } from "./print";

export interface BundleOptions {
  readonly format?: ProblemFormat;
}

/** Resolves to the exit code: 0 bundled, 1 the code does not type-check, 2 a folder is not that of a trainer. */
export async function bundle(
  folders: readonly string[],
  { format = defaultFormat() }: BundleOptions = {},
): Promise<number> {
  const read = folders.map((folder) => readTrainer(folder) ?? unplaced(folder, errors.noTrainer()));
  const problems = read.flatMap((each) => ("code" in each ? [each] : []));
  if (problems.length > 0) {
    printDiagnostics(problems, format);
    return exitCode(problems);
  }
  const wrong: Diagnostic[] = [];
  for (const trainer of read.flatMap((each) => ("code" in each ? [] : [each]))) {
    const made = await bundleFolder(trainer);
    if (!made.ok) {
      wrong.push(...made.faults.map((fault) => diagnosticOf(trainer, fault)));
      continue;
    }
    writeWhole(join(trainer.folder, "train.js"), made.text);
    process.stdout.write(`${doneText(trainer, made.editedCode)}\n`);
  }
  printDiagnostics(wrong, format);
  return exitCode(wrong);
}

function diagnosticOf(
  { folder, files }: TrainerFolder,
  { file, line, column, length, message }: TypeFault,
): Diagnostic {
  const lineText = files.find(({ name }) => name === file)?.text.split("\n")[line - 1] ?? "";
  const place = { line, column, length, lineText };
  return { ...errors.typeError({ message }), file: join(folder, file), place, path: null };
}

function doneText({ folder, edited }: TrainerFolder, editedCode: string | null): string {
  const script = relative(".", resolve(folder, "train.js"));
  const what =
    editedCode === null
      ? "as it was compiled"
      : `edited by hand: ${edited.join(", ")}; its runs are marked with the code ${editedCode.slice(0, 12)}`;
  return `${folder} → ${script} (${what})\nTrain with: node ${script}`;
}
