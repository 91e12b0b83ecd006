/** `ijepa report RUN…`: one page that shows what runs have come to; `--masks SPEC`: the masks of an experiment to be. */
import { relative } from "node:path";
import { errors, exitCode } from "../compiler/diagnostics/catalogue";
import { unplaced } from "../compiler/diagnostics/diagnostic";
import { packageVersion } from "../compiler/emit/package-root";
import { buildPlan } from "../compiler/plan/plan";
import { UserError } from "../runtime/errors";
import { type Reported, reportMasks, reportRuns } from "../tools/report/report";
import { printDiagnostics } from "./print";
import type { SetOption } from "./set-option";
import { loadSpecs } from "./specs";

export interface ReportOptions extends SetOption {
  readonly out?: string;
  readonly masks?: string;
  readonly data?: string;
  /** Left out: 200. */
  readonly images?: string;
}

/** Resolves to the exit code: 0 written, 1 the spec is invalid, 2 could not. */
export async function report(runs: readonly string[], options: ReportOptions): Promise<number> {
  try {
    return options.masks === undefined
      ? await ofRuns(runs, options)
      : await ofMasks(runs, { ...options, masks: options.masks });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    process.stderr.write(`${error.code}: ${error.message}\n`);
    return 2;
  }
}

async function ofRuns(runs: readonly string[], { out, data, set, images = "200" }: ReportOptions): Promise<number> {
  const count = Number(images);
  const isCount = images.trim() !== "" && Number.isSafeInteger(count) && count >= 0;
  const problems = [
    ...(runs.length === 0 ? [errors.nothingToReport()] : []),
    ...(set.length > 0
      ? [errors.badUsage({ what: "--set changes a spec; a run is what it is", hint: "It goes with --masks." })]
      : []),
    ...(isCount
      ? []
      : [errors.badUsage({ what: `--images is ${JSON.stringify(images)}`, hint: "It takes a whole number from 0." })]),
  ];
  if (problems.length > 0) return told({ ok: false, diagnostics: problems.map((problem) => unplaced(null, problem)) });
  return told(await reportRuns({ runs, out: out ?? null, root: data ?? ".", images: count }));
}

async function ofMasks(
  runs: readonly string[],
  { masks, out, data, set }: ReportOptions & { readonly masks: string },
): Promise<number> {
  if (runs.length > 0) {
    const problem = errors.badUsage({
      what: "a report is about runs, or about the masks of a spec",
      hint: "The report of a run has its masks.",
    });
    return told({ ok: false, diagnostics: [unplaced(null, problem)] });
  }
  const loaded = loadSpecs([masks], { set });
  if (!loaded.ok) return loaded.code;
  const [named] = loaded.specs;
  if (named === undefined) throw new Error("internal: no spec was loaded");
  const { spec, hash, dataFolder, settings = [] } = named;
  const { experiment } = buildPlan({ spec, settings, specHash: hash, generatorVersion: packageVersion() });
  return told(await reportMasks({ experiment, out: out ?? null, root: data ?? dataFolder ?? "." }));
}

function told(reported: Reported): number {
  const diagnostics = reported.ok ? reported.warnings : reported.diagnostics;
  printDiagnostics(diagnostics);
  if (reported.ok) {
    const file = relative(".", reported.file) || ".";
    process.stdout.write(`${file} (${(reported.bytes / 1e6).toFixed(2)} MB): open it in a browser\n`);
  }
  return exitCode(diagnostics);
}
