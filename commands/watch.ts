/** `ijepa compile --watch SPEC…`: compiles on every save, and says what is wrong or what has changed. */
import { dirname, resolve } from "node:path";
import { watch as watchFiles } from "chokidar";
import pico from "picocolors";
import { errors } from "../compiler/diagnostics/catalogue";
import type { Diagnostic } from "../compiler/diagnostics/diagnostic";
import { reportForPeople } from "../compiler/diagnostics/problem-text";
import { editsText } from "../compiler/output/edits-text";
import { loadSpec } from "../compiler/spec/load";
import { problemAt } from "../compiler/spec/source";
import { messageOf } from "../runtime/exceptions";
import { diffSides } from "../tools/diff/diff";
import { textReport } from "../tools/diff/diff-text";
import { type Side, sideOfSpec } from "../tools/diff/sources";
import { diagnosticOf } from "./failure";
import { hasColour, problemCount } from "./print";
import type { SetOption } from "./set-option";
import { type NamedSpec, namedFiles, namedSpec } from "./specs";
import { refusedDiagnostic, writeSpec, writtenText } from "./write-specs";

export interface WatchOptions extends SetOption {
  readonly out: string;
  /** Write also over files that were edited by hand. */
  readonly force: boolean;
}

/** An editor saves in several steps, and several files at once. */
const SETTLE_MS = 80;
/** What one device sustains, for the hours in the diff; `ijepa diff --rate` takes another. */
const TERAFLOPS = 100;

/** The last version of a spec that was compiled. */
interface Good {
  readonly spec: NamedSpec;
  readonly side: Side;
}

/** Resolves to the exit code when the person ends it: always 0. */
export async function watch(files: readonly string[], { out, set, force }: WatchOptions): Promise<number> {
  const specs = namedFiles(files);
  const good = new Map<string, Good>();
  const changed = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let round: Promise<void> = Promise.resolve();

  const compileChanged = async (): Promise<void> => {
    const now = specs.filter((file) => changed.has(file));
    changed.clear();
    if (now.length > 0) await compileAll(now, { out, set, force, good, watched: specs.length });
  };
  const soon = (file: string): void => {
    changed.add(file);
    clearTimeout(timer);
    timer = setTimeout(() => {
      round = round.then(compileChanged);
    }, SETTLE_MS);
  };

  const watcher = await watcherOf(specs, soon);
  const ended = new Promise<void>((end) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => end());
  });
  for (const file of specs) changed.add(file);
  round = compileChanged();
  await ended;
  clearTimeout(timer);
  await watcher.close();
  await round;
  return 0;
}

/** Watches the folders: an editor that puts a new file in the place of the old one ends the watch of the file itself. */
async function watcherOf(specs: readonly string[], changed: (file: string) => void) {
  const byPath = new Map(specs.map((file) => [resolve(file), file]));
  const folders = new Set([...byPath.keys()].map((path) => dirname(path)));
  const watcher = watchFiles([...folders], {
    depth: 0,
    ignoreInitial: true,
    ignored: (path) => !byPath.has(resolve(path)) && !folders.has(resolve(path)),
  });
  watcher.on("all", (_event, path) => {
    const file = byPath.get(resolve(path));
    if (file !== undefined) changed(file);
  });
  // A folder that cannot be watched: its specs are reported as they are read.
  watcher.on("error", () => {});
  await new Promise<void>((ready) => watcher.once("ready", () => ready()));
  return watcher;
}

interface Round extends WatchOptions {
  readonly good: Map<string, Good>;
  /** How many specs are watched. */
  readonly watched: number;
}

/** A person looks at a terminal; what is piped is a record of all rounds. */
async function compileAll(files: readonly string[], { out, set, force, good, watched }: Round): Promise<void> {
  const terminal = process.stdout.isTTY === true;
  const colour = hasColour(process.stdout);
  if (terminal) process.stdout.write("\u001b[2J\u001b[3J\u001b[H");
  for (const file of files) process.stdout.write(await compileOne(file, { out, set, force, good, colour }));
  const time = new Date().toTimeString().slice(0, 8);
  const what = watched === 1 ? "1 spec" : `${watched} specs`;
  process.stdout.write(pico.createColors(colour).dim(`${time} watching ${what}; Ctrl-C ends\n`));
}

/** What there is to say of a spec as it lies there now. */
async function compileOne(
  file: string,
  { out, set, force, good, colour }: Omit<Round, "watched"> & { readonly colour: boolean },
): Promise<string> {
  const begun = performance.now();
  try {
    const loaded = loadSpec(file, { settings: set });
    if (!loaded.ok) return problemsText(loaded.diagnostics, colour);
    const { spec, hash, source } = loaded;
    const other = [...good.values()].find((each) => each.spec.file !== file && each.spec.spec.name === spec.name);
    if (other !== undefined) {
      const problem = errors.sameName({ name: spec.name, other: other.spec.file });
      return problemsText([problemAt(source, ["name"], problem)], colour);
    }
    const before = good.get(file);
    if (before?.spec.hash === hash) return `${file}: the same experiment as before\n`;
    const outcome = await writeSpec(out, namedSpec(file, loaded), { force });
    if (!outcome.ok) return `${problemsText([refusedDiagnostic(outcome)], colour)}\n${editsText(outcome.edits)}`;
    const { written } = outcome;
    const side = sideOfSpec(file, spec, written.compiled);
    good.set(file, { spec: namedSpec(file, loaded), side });
    const seconds = ((performance.now() - begun) / 1000).toFixed(2);
    return `${before === undefined ? "" : changesText(before.side, side, colour)}${writtenText(written)} in ${seconds} s\n`;
  } catch (cause) {
    // A full disk, or a fault of ours: neither ends the watch.
    const diagnostic = diagnosticOf(cause);
    if (diagnostic !== null) return problemsText([diagnostic], colour);
    return `${file}: ${messageOf(cause)}\n`;
  }
}

function problemsText(diagnostics: readonly Diagnostic[], colour: boolean): string {
  return `${reportForPeople(diagnostics, { colour })}${problemCount(diagnostics)}`;
}

/** Since the last version that was compiled; versions with errors in between do not count. */
function changesText(before: Side, now: Side, colour: boolean): string {
  const found = diffSides({ ...before, name: `${before.name} as it was` }, now, { teraflops: TERAFLOPS });
  return `${textReport(found, { colour, stat: true })}\n`;
}
