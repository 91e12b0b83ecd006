/** `ijepa init [NAME]`: a first experiment that is valid and fits the images and this machine, with the reason of each choice. */
import { existsSync, writeFileSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import { errors, exitCode } from "../compiler/diagnostics/catalogue";
import { type Diagnostic, unplaced } from "../compiler/diagnostics/diagnostic";
import { packageRoot } from "../compiler/emit/package-root";
import { specFromText } from "../compiler/spec/load";
import { UserError } from "../runtime/errors";
import { durationText } from "../runtime/report/text";
import { speedsOf } from "../tools/doctor/fastest";
import { type ChoiceInput, choicesText, imagesOf, specText } from "../tools/init/choose";
import { imagesAt } from "../tools/init/images";
import { type Answers, ask, type Checks, defaults, type Given, isInterrupted } from "../tools/init/questions";
import { shellWord } from "../tools/sweep/executors/shell";
import { reporting } from "./evaluate";
import { printDiagnostics } from "./print";

export interface InitOptions {
  readonly images?: string;
  /** What the training may take. */
  readonly minutes?: string;
  /** False: folders of the images are no classes. */
  readonly labels?: boolean;
  /** Asks nothing, whatever this is. */
  readonly yes?: boolean;
}

function refuse(diagnostic: Diagnostic): number {
  printDiagnostics([diagnostic]);
  return 2;
}

/** Resolves to the exit code: 0 written, 2 it could not be, 130 stopped by Ctrl-C. */
export async function init(name: string | undefined, { yes = false, ...options }: InitOptions): Promise<number> {
  const given = { name, ...options, ...(options.labels === false ? {} : { labels: undefined }) };
  const isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
  if (yes || !isTerminal) return write({ ...defaults, ...withoutGaps(given) });
  try {
    const answers = await ask(given, checks, { input: process.stdin, output: process.stdout });
    process.stdout.write(`The same without questions: ${commandOf(answers)}\n\n`);
    return await write(answers);
  } catch (error) {
    if (!isInterrupted(error)) throw error;
    process.stderr.write("Nothing was written.\n");
    return 130;
  }
}

const withoutGaps = (given: Given): Partial<Answers> =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));

const fileOf = (name: string): string => (name.endsWith(".json") ? name : `${name}.json`);

/** What an answer is refused for is what a flag is refused for. */
const checks: Checks = {
  name: (name) => {
    const file = fileOf(name);
    if (existsSync(file)) return errors.specInTheWay().what;
    const draft = loaded({ name, images: null, labels: true, schema: "" }, file, { epochs: 1, why: "" });
    const [wrong] = "diagnostics" in draft ? draft.diagnostics : [];
    return wrong === undefined ? null : [wrong.what, wrong.want].filter((part) => part !== null).join(": ");
  },
  minutes: (minutes) => (minutesOf(minutes) === null ? "It is a number above 0." : null),
  images: async (path) => {
    try {
      return (await imagesAt(path, path)) ?? noImages(path).what;
    } catch (error) {
      if (error instanceof UserError) return error.message;
      throw error;
    }
  },
};

function noImages(folder: string) {
  return errors.imagesUncounted({ folder: resolve(folder), why: existsSync(folder) ? "empty" : "missing" });
}

function minutesOf(text: string): number | null {
  const minutes = Number(text);
  return minutes > 0 && Number.isFinite(minutes) ? minutes : null;
}

/** The flags that stand for some answers. */
function commandOf({ name, images, minutes, labels }: Answers): string {
  const flags = [
    name,
    ...(images === undefined ? [] : ["--images", images]),
    "--minutes",
    minutes,
    ...(labels ? [] : ["--no-labels"]),
    "--yes",
  ];
  return ["ijepa init", ...flags.map(shellWord)].join(" ");
}

const write = (answers: Answers): Promise<number> => reporting(() => written(answers));

async function written({ name, images: given, minutes, labels }: Answers): Promise<number> {
  const limit = minutesOf(minutes);
  if (limit === null) {
    const what = `--minutes is '${minutes}'`;
    return refuse(unplaced(null, errors.badUsage({ what, hint: "It is a number above 0." })));
  }
  const file = fileOf(name);
  if (existsSync(file)) return refuse(unplaced(file, errors.specInTheWay()));
  const images = given === undefined ? null : await imagesAt(given, seen(resolve(file, ".."), given));
  if (given !== undefined && images === null) return refuse(unplaced(null, noImages(given)));
  const schema = seen(resolve(file, ".."), join(packageRoot(), "schema/experiment.schema.json"));
  const input: ChoiceInput = { name, images, labels, schema };
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
