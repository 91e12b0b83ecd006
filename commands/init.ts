/** `ijepa init [NAME]`: a first experiment that is valid and fits the images and this machine, with the reason of each choice. */
import { existsSync, writeFileSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import { errors, exitCode } from "../compiler/diagnostics/catalogue";
import { type Diagnostic, unplaced } from "../compiler/diagnostics/diagnostic";
import { packageRoot } from "../compiler/emit/package-root";
import { specFromText } from "../compiler/spec/load";
import { durationText } from "../runtime/report/text";
import { speedsOf } from "../tools/doctor/fastest";
import { type ChoiceInput, choicesText, imagesOf, specText } from "../tools/init/choose";
import { folderOf } from "../tools/init/folder";
import { printDiagnostics } from "./print";

export interface InitOptions {
  readonly images?: string;
  /** What the training may take. */
  readonly minutes: string;
}

function refuse(diagnostic: Diagnostic): number {
  printDiagnostics([diagnostic]);
  return 2;
}

/** Resolves to the exit code: 0 written, 2 it could not be. */
export async function init(name: string, { images, minutes }: InitOptions): Promise<number> {
  const limit = Number(minutes);
  if (!(limit > 0 && Number.isFinite(limit))) {
    const what = `--minutes is '${minutes}'`;
    return refuse(unplaced(null, errors.badUsage({ what, hint: "It is a number above 0." })));
  }
  const file = name.endsWith(".json") ? name : `${name}.json`;
  if (existsSync(file)) return refuse(unplaced(file, errors.specInTheWay()));
  const folder = images === undefined ? null : await folderOf(resolve(images), seen(resolve(file, ".."), images));
  if (images !== undefined && folder === null) {
    const why = existsSync(images) ? ("empty" as const) : ("missing" as const);
    return refuse(unplaced(null, errors.imagesUncounted({ folder: resolve(images), why })));
  }
  const schema = seen(resolve(file, ".."), join(packageRoot(), "schema/experiment.schema.json"));
  const input: ChoiceInput = { name, folder, schema };
  const draft = loaded(input, file, { epochs: 1, why: "" });
  if ("diagnostics" in draft) {
    printDiagnostics(draft.diagnostics);
    return exitCode(draft.diagnostics);
  }
  process.stderr.write("Timing a step on this machine …\n");
  const [speed] = await speedsOf(draft.spec, {
    folder: process.cwd(),
    only: ({ engine, device }) => engine === draft.spec.hardware.engine && device === draft.spec.hardware.device,
  });
  const chosen = epochsFor(imagesOf(input), speed?.imagesPerS ?? null, limit);
  // Never over a file that came meanwhile.
  writeFileSync(file, specText(input, chosen), { flag: "wx" });
  process.stdout.write(`${file}\n${choicesText(input, chosen)}Train with: ijepa run ${file}\n`);
  return 0;
}

/** As many epochs as the minutes allow, at least one and no more than the released 300. */
function epochsFor(images: number, imagesPerS: number | null, minutes: number) {
  if (imagesPerS === null) return { epochs: 5, why: "5 epochs; a step could not be timed here" };
  const secondsPerEpoch = images / imagesPerS;
  const epochs = Math.max(1, Math.min(300, Math.round((60 * minutes) / secondsPerEpoch)));
  const rate = imagesPerS >= 10 ? imagesPerS.toFixed(0) : imagesPerS.toPrecision(2);
  const time = durationText(1000 * epochs * secondsPerEpoch);
  return {
    epochs,
    why: `${epochs === 1 ? "1 epoch takes" : `${epochs} epochs take`} about ${time} here, at ${rate} images/s`,
  };
}

function loaded(input: ChoiceInput, file: string, chosen: { readonly epochs: number; readonly why: string }) {
  return specFromText({ text: specText(input, chosen), file });
}

/** A path as a spec in `folder` names it. */
function seen(folder: string, path: string): string {
  const way = relative(folder, resolve(path)).split(sep).join("/") || ".";
  return way.startsWith(".") ? way : `./${way}`;
}
