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

export interface ReportRequest {
  readonly runs: readonly string[];
  readonly out: string | null;
  /** Folder that relative data paths start from. */
  readonly root: string;
}

export type Reported =
  | { readonly ok: true; readonly file: string; readonly bytes: number; readonly warnings: readonly Diagnostic[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** Throws R1xx where the disk refuses the file. */
export async function reportRuns({ runs: folders, out, root }: ReportRequest): Promise<Reported> {
  const read = folders.map((folder) => ({ folder, read: readRun(folder) }));
  const refused = read.flatMap(({ folder, read: one }) => (one.ok ? [] : [unplaced(folder, one.problem)]));
  if (refused.length > 0) return { ok: false, diagnostics: refused };
  const runs = labelled(read.flatMap(({ read: one }) => (one.ok ? [one.run] : [])));
  const warnings = warningsOf(runs);
  const title =
    runs.length === 1 ? (runs[0]?.label ?? "") : `${runs.length} runs: ${runs.map(({ label }) => label).join(", ")}`;
  return writeReport(out ?? defaultFile(folders), { title, runs, sections: await sectionsOf(runs, root), warnings });
}

/** Runs with the same masks and data share their picture. */
async function sectionsOf(runs: readonly RunRecord[], root: string): Promise<readonly Section[]> {
  const sections: Section[] = [];
  const seen = new Set<string>();
  for (const { experiment, label } of runs) {
    const { masks, data, image, seed } = experiment;
    const key = JSON.stringify([masks, data, image, runs.length > 1 ? 0 : seed]);
    if (seen.has(key) || !hasMasks(experiment)) continue;
    seen.add(key);
    sections.push(
      await maskSection({ experiment, root, id: `masks-${sections.length}`, of: runs.length > 1 ? label : null }),
    );
  }
  return sections;
}

/** Another version may have written other constants. */
const hasMasks = ({ masks }: Experiment): boolean =>
  typeof masks === "object" && [masks.sizes, masks.contextSizes, masks.programs].every(Array.isArray);

export interface MaskReportRequest {
  readonly experiment: Experiment;
  readonly out: string | null;
  readonly root: string;
}

/** The masks of an experiment before anything is trained. */
export async function reportMasks({ experiment, out, root }: MaskReportRequest): Promise<Reported> {
  const section = await maskSection({ experiment, root, id: "masks", of: null });
  const title = `${experiment.name}: masks`;
  return writeReport(out ?? `${experiment.name}-masks.html`, { title, runs: [], sections: [section], warnings: [] });
}

interface Content {
  readonly title: string;
  readonly runs: readonly RunRecord[];
  readonly sections: readonly Section[];
  readonly warnings: readonly Diagnostic[];
}

export async function writeReport(file: string, { title, runs, sections, warnings }: Content): Promise<Reported> {
  if (isInTheWay(file)) return { ok: false, diagnostics: [unplaced(file, errors.reportInTheWay())] };
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
