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
  nothingToServe: kind("E475", "The folder that `ijepa serve` is to show is not there.", () => ({
    what: "there is no such folder",
    want: "a folder of runs, or one run; it may be empty, and its runs show when they begin",
  })),
  cannotServe: kind(
    "E476",
    "`ijepa serve` cannot listen where it is told to: the port is taken, or the host is not this machine.",
    (facts: { host: string; port: number; why: string }) => ({
      what: `the pages cannot be served at ${facts.host}, port ${facts.port}`,
      found: facts.why,
      hint: "Choose another port with --port; 0 is any that is free.",
    }),
  ),
  nowhereToPush: kind(
    "E477",
    "`ijepa log push` knows no server: the run was not logged to one, and no flag names one.",
    () => ({
      what: "there is no server to send the log to",
      want: "--mlflow or --trackio with an address, or a run whose experiment has log.mlflow or log.trackio",
    }),
  ),
  pushedByItsTrainer: kind("E478", "`ijepa log push` was called for a run that is under way.", () => ({
    what: "the run is under way, and its trainer sends its log",
    hint: "Wait until it ends; what it has not sent by then is sent by this command.",
  })),
  nothingToDecode: kind(
    "E479",
    "`ijepa decode` is about what a predictor predicts in the place of missing blocks, and the run predicts no representations.",
    (facts: { why: string }) => ({
      what: "the run has no predicted representations to decode",
      found: facts.why,
      want: "a run of I-JEPA that predicts representations, trained by a compiled trainer",
    }),
  ),
  noRuns: kind("E474", "A folder that is to be listed holds no run.", () => ({
    what: "there is no run in this folder",
    want: "a folder of runs, such as runs, or a run",
  })),
} as const;

export const reportWarnings = {
  servedToOthers: warning(
    "W308",
    "`ijepa serve --host` listens to other machines: whoever reaches it can see the runs.",
    (facts: { host: string }) => ({
      what: "whoever can reach this machine can see the runs",
      found: `--host ${facts.host}`,
      hint: "Without --host only this machine can; `ssh -L` brings that to another one.",
    }),
  ),
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
