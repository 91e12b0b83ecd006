/** `ijepa compile [SPEC…]`: writes the trainer of every spec, or says whether those that are there are up to date. */
import { join, relative, resolve } from "node:path";
import pico from "picocolors";
import { annotationLine } from "../compiler/diagnostics/annotations";
import { errors } from "../compiler/diagnostics/catalogue";
import { unplaced } from "../compiler/diagnostics/diagnostic";
import { type FileVerdict, verdicts } from "../compiler/output/stale";
import { installCommand } from "../runtime/installs";
import { missingFrom } from "../tools/pack/packages";
import { defaultFormat, type ProblemFormat } from "./format";
import { hasColour, printDiagnostics } from "./print";
import type { SetOption } from "./set-option";
import { loadSpecs, type NamedSpec } from "./specs";
import { compiled, printRefused, type Refused, writeBatch, writtenText } from "./write-specs";

export interface CompileOptions extends SetOption {
  readonly out: string;
  readonly check?: boolean;
  readonly watch?: boolean;
  readonly force?: boolean;
  readonly format?: ProblemFormat;
}

/** So many are held in memory at once. */
const AT_ONCE = 32;

/** What the compiler could not make is its fault, never the spec's; all of it is said at once. */
function throwAll(faults: readonly Error[], specs: number): void {
  const [first] = faults;
  if (first === undefined) return;
  if (specs === 1) throw first;
  const all = faults.map(({ message }) => message).join("\n");
  throw new Error(`internal: ${faults.length} of ${specs} specs could not be compiled:\n${all}`);
}

function batches(specs: readonly NamedSpec[]): readonly (readonly NamedSpec[])[] {
  return Array.from({ length: Math.ceil(specs.length / AT_ONCE) }, (_, i) =>
    specs.slice(i * AT_ONCE, (i + 1) * AT_ONCE),
  );
}

/** Beside the spec where its author has to act, else at the first line that differs. */
function staleAnnotation({ file }: NamedSpec, found: readonly FileVerdict[]): string {
  const [first] = found;
  if (first === undefined) return "";
  const files = found.map((each) => `${each.file}${each.line === null ? "" : `:${each.line}`}: ${each.verdict}`);
  const flags = found.some(({ verdict }) => verdict === "edited by hand") ? "--force " : "";
  const ofSpec = first.verdict === "spec changed" || first.verdict === "missing";
  return annotationLine({
    file: ofSpec ? file : first.file,
    line: ofSpec ? 1 : first.line,
    column: null,
    title: first.verdict,
    message: [`Not what the compiler writes now. \`ijepa compile ${flags}${file}\` writes it anew.`, ...files].join(
      "\n",
    ),
  });
}

function checkAll(out: string, specs: readonly NamedSpec[], format: ProblemFormat): number {
  // CI systems ask for colour without being terminals; what is piped or compared has none.
  const paint = pico.createColors(hasColour(process.stdout));
  let stale = 0;
  let edited = false;
  const faults: Error[] = [];
  for (const batch of batches(specs)) {
    const { good, faults: more } = compiled(out, batch);
    faults.push(...more);
    for (const each of good) {
      const found = verdicts(out, each.compiled).filter(({ verdict }) => verdict !== "up to date");
      for (const { file, verdict, patch } of found) process.stdout.write(`${file}: ${paint.red(verdict)}\n${patch}`);
      edited ||= found.some(({ verdict }) => verdict === "edited by hand");
      if (found.length === 0) process.stdout.write(`${each.spec.file}: up to date\n`);
      else stale += 1;
      if (format === "github") process.stdout.write(staleAnnotation(each.spec, found));
    }
  }
  if (stale > 0)
    process.stderr.write(
      `${stale} of ${specs.length} trainers are not what the compiler writes now. \`ijepa compile\` writes them anew` +
        `${edited ? ", those that were edited by hand with --force" : ""}.\n`,
    );
  throwAll(faults, specs.length);
  return stale > 0 ? 1 : 0;
}

interface WriteAllOptions {
  readonly force: boolean;
  readonly format: ProblemFormat;
}

async function writeAll(out: string, specs: readonly NamedSpec[], { force, format }: WriteAllOptions): Promise<number> {
  const begun = performance.now();
  const faults: Error[] = [];
  const refused: Refused[] = [];
  const made: NamedSpec[] = [];
  const seconds = () => ((performance.now() - begun) / 1000).toFixed(2);
  for (const batch of batches(specs)) {
    const { written, refused: edited, faults: more } = await writeBatch(out, batch, { force });
    faults.push(...more);
    refused.push(...edited);
    printRefused(edited, format);
    made.push(...written.map(({ spec }) => spec));
    for (const each of written)
      process.stdout.write(`${writtenText(each)}${specs.length === 1 ? ` in ${seconds()} s` : ""}\n`);
  }
  if (specs.length > 1) process.stdout.write(`${made.length} trainers in ${seconds()} s\n`);
  throwAll(faults, specs.length);
  const ways = specs.length === 1 ? made.map(() => "train.js") : made.map(({ spec }) => join(spec.name, "train.js"));
  for (const note of packagesElsewhere(out, made)) process.stdout.write(note);
  const commands = ways.map((way) => `node ${relative(".", resolve(out, way))}`);
  if (made.length > 0) process.stdout.write(`Train with: ${commands.join("\n       or: ")}\n`);
  return refused.length > 0 ? 1 : 0;
}

/** What `node` will not find from the trainers' folder, though `ijepa run` does: where ijepa is installed globally. */
function packagesElsewhere(out: string, specs: readonly NamedSpec[]): readonly string[] {
  const missing = new Set(specs.flatMap(({ spec }) => missingFrom(resolve(out), spec)));
  if (missing.size === 0) return [];
  const names = [...missing];
  return [
    `${names.join(", ")} ${names.length === 1 ? "is" : "are"} not in reach of ${relative(".", resolve(out)) || "."}: ` +
      `\`ijepa run\` brings them; for \`node\` install them there:  ${installCommand(names)}\n`,
  ];
}

/** Resolves to the exit code: 0 written or up to date, 1 invalid, stale or edited by hand, 2 could not run. */
export async function compile(files: readonly string[], options: CompileOptions): Promise<number> {
  const { out, check = false, watch = false, force = false, format = defaultFormat(), set } = options;
  if (force && check) {
    const what = "--force and --check exclude each other";
    printDiagnostics([unplaced(null, errors.badUsage({ what, hint: "--check writes nothing." }))], format);
    return 2;
  }
  if (watch && check) {
    const what = "--watch and --check exclude each other";
    printDiagnostics([unplaced(null, errors.badUsage({ what, hint: "--watch writes, --check does not." }))], format);
    return 2;
  }
  if (watch) return await (await import("./watch")).watch(files, { out, set, force });
  const loaded = loadSpecs(files, { format, ownNames: true, set });
  if (!loaded.ok) return loaded.code;
  return check ? checkAll(out, loaded.specs, format) : await writeAll(out, loaded.specs, { force, format });
}
