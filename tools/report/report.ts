/** One report: reads runs and specs, writes the page whole or not at all. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { errors } from "../../compiler/diagnostics/catalogue";
import { type Diagnostic, unplaced } from "../../compiler/diagnostics/diagnostic";
import type { Experiment } from "../../runtime/experiment";
import { writeTextFile } from "../../runtime/report/files";
import { reportHtml, reportMark } from "./html";
import { maskSection } from "./masks";
import { labelled, type RunRecord, readRun } from "./runs";
import type { Section } from "./section";
import { type PictureOptions, picturesOf } from "./sections";

export interface ReportRequest extends PictureOptions {
  readonly runs: readonly string[];
  readonly out: string | null;
}

export type Reported =
  | { readonly ok: true; readonly file: string; readonly bytes: number; readonly warnings: readonly Diagnostic[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** Throws R1xx where the disk refuses the file. */
export async function reportRuns({ runs: folders, out, ...pictures }: ReportRequest): Promise<Reported> {
  const file = out ?? defaultFile(folders);
  if (isInTheWay(file)) return { ok: false, diagnostics: [unplaced(file, errors.reportInTheWay())] };
  const read = folders.map((folder) => ({ folder, read: readRun(folder) }));
  const refused = read.flatMap(({ folder, read: one }) => (one.ok ? [] : [unplaced(folder, one.problem)]));
  if (refused.length > 0) return { ok: false, diagnostics: refused };
  const runs = labelled(read.flatMap(({ read: one }) => (one.ok ? [one.run] : [])));
  const { sections, warnings } = await picturesOf(runs, pictures);
  const names = runs.map(({ label }) => label).join(", ");
  const title = runs.length === 1 ? names : `${runs.length} runs: ${names}`;
  return writeReport(file, { title, runs, sections, warnings: [...warningsOf(runs), ...warnings] });
}

export interface MaskReportRequest {
  readonly experiment: Experiment;
  readonly out: string | null;
  readonly root: string;
}

/** The masks of an experiment before anything is trained. */
export async function reportMasks({ experiment, out, root }: MaskReportRequest): Promise<Reported> {
  const file = out ?? `${experiment.name}-masks.html`;
  if (isInTheWay(file)) return { ok: false, diagnostics: [unplaced(file, errors.reportInTheWay())] };
  const section = await maskSection({ experiment, root, id: "masks", of: null });
  const title = `${experiment.name}: masks`;
  return writeReport(file, { title, runs: [], sections: [section], warnings: [] });
}

interface Content {
  readonly title: string;
  readonly runs: readonly RunRecord[];
  readonly sections: readonly Section[];
  readonly warnings: readonly Diagnostic[];
}

async function writeReport(file: string, { title, runs, sections, warnings }: Content): Promise<Reported> {
  const notes = warnings.map(
    ({ file: about, what, found }) =>
      `${about ?? ""}${about === null ? "" : ": "}${what}${found === null ? "" : `: ${found}`}.`,
  );
  const html = reportHtml({ title, runs, sections, notes });
  await writeTextFile(file, html);
  return { ok: true, file, bytes: Buffer.byteLength(html), warnings };
}

/** In the folder of a run; of several, in the folder around the first. */
function defaultFile(folders: readonly string[]): string {
  const [first = "."] = folders;
  return join(folders.length === 1 ? first : dirname(normalize(first)), "report.html");
}

function isInTheWay(file: string): boolean {
  if (!existsSync(file)) return false;
  return !statSync(file).isFile() || !readFileSync(file, "utf8").slice(0, 4096).includes(reportMark);
}

function warningsOf(runs: readonly RunRecord[]): readonly Diagnostic[] {
  const torn = runs.flatMap(({ folder, torn: { lines, of } }) =>
    lines === 0 ? [] : [unplaced(folder, errors.tornLog({ lines, of }))],
  );
  const fields = unlike(runs.map(({ experiment }) => experiment));
  return [...torn, ...(fields.length === 0 ? [] : [unplaced(null, errors.unlikeRuns({ fields }))])];
}

/** What makes the loss another quantity where it differs. */
const comparable: Readonly<Record<string, (experiment: Experiment) => unknown>> = {
  objective: ({ objective }) => objective,
  data: ({ data }) => data,
  image: ({ image }) => image,
  "encoder width": ({ encoder }) => encoder.dim,
  masks: ({ masks }) => masks,
};

function unlike(experiments: readonly Experiment[]): readonly string[] {
  return Object.entries(comparable)
    .filter(([, of]) => new Set(experiments.map((experiment) => JSON.stringify(of(experiment)))).size > 1)
    .map(([name]) => name);
}
