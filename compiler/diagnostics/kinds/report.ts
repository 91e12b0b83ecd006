/** E47x reports: pages and tables of runs. */
import { kind, warning } from "./kind";

export const reportErrors = {
  notARunToReport: kind(
    "E470",
    "What is to be shown is no run: it has no experiment.json that a trainer wrote, or one that lacks a constant.",
    (facts: { lacks: string | null }) => ({
      what: facts.lacks === null ? "there is no run here" : `the run does not say what it is: no usable ${facts.lacks}`,
      want: "a run folder with the experiment.json of its trainer, such as runs/quickstart",
      hint: "`ijepa runs FOLDER` lists the runs below a folder.",
    }),
  ),
  nothingLogged: kind(
    "E471",
    "A run that is to be shown has logged nothing yet, or no line of its log can be read.",
    () => ({
      what: "the log of the run has no line that can be read",
      found: "nothing in log.jsonl, nothing in log.csv",
      hint: "A trainer logs its first line when it begins; is this the folder it writes to?",
    }),
  ),
  reportInTheWay: kind(
    "E472",
    "The file that a report is to be written to is there, and is no report. It is left as it is.",
    () => ({
      what: "there is a file of this name already, and it is no report",
      hint: "Remove it, or choose another name with --out.",
    }),
  ),
  nothingToReport: kind("E473", "A report was asked for, and neither a run nor a spec was named.", () => ({
    what: "there is nothing to report on",
    want: "run folders, or --masks with a spec",
    hint: "`ijepa runs` lists the runs below runs/.",
  })),
  noRuns: kind("E474", "A folder that is to be listed holds no run.", () => ({
    what: "there is no run in this folder",
    want: "a folder of runs, such as runs, or a run",
  })),
} as const;

export const reportWarnings = {
  tornLog: warning(
    "W305",
    "A log has lines that are torn, or of another version; the report leaves them out.",
    (facts: { lines: number; of: number }) => ({
      what: "lines of the log cannot be read and are left out",
      found: `${facts.lines} of ${facts.of}`,
    }),
  ),
  unlikeRuns: warning(
    "W306",
    "Runs side by side were trained on different images or predict different things: their losses do not compare.",
    (facts: { fields: readonly string[] }) => ({
      what: "the losses of these runs do not compare, only their evaluations do",
      found: `different ${facts.fields.join(", ")}`,
    }),
  ),
  sectionLeftOut: warning(
    "W307",
    "A part of a report could not be made; the rest is there.",
    (facts: { section: string; why: string }) => ({ what: `the report has no ${facts.section}`, found: facts.why }),
  ),
} as const;
