/** What follows the last step: the final evaluation, the last lines of the logs, and what to do next. */
import { join } from "node:path";
import type { TrainerFlags } from "../cli";
import { formatText } from "../evaluate/evaluation-report";
import type { TrainerProgram } from "../experiment";
import { quoted, resumeCommand, starterOf, withoutFlags } from "../report/command";
import type { JsonlLog } from "../report/jsonl";
import { doneText, type Summary, summaryText } from "../report/summary";
import type { RunCheckpoints } from "./checkpoints";
import type { RunEvaluation, TrainerEnvironment } from "./environment";
import type { RunRecords } from "./records";
import { runFiles } from "./run-folder";
import { exitCodes } from "./signals";
import type { LoopEnd } from "./train-loop";

export interface EndOptions {
  readonly program: TrainerProgram;
  readonly flags: TrainerFlags;
  readonly environment: TrainerEnvironment;
  readonly evaluation: RunEvaluation | null;
  readonly jsonl: JsonlLog;
  readonly isBest: RunRecords["isBest"];
  readonly checkpoints: Pick<RunCheckpoints, "keep">;
  readonly note: (line: string) => void;
  readonly end: LoopEnd;
  /** Which floor was missed, where that is why the run ends. */
  readonly missedFloor: string | null;
  readonly lastCheckpoint: { readonly path: string; readonly step: number } | null;
  /** Steps that this run of the program did, and their time, without that of checkpoints and evaluations. */
  readonly stepsHere: number;
  readonly trainedMs: number;
  /** Of this run of the program: see EndEvent. */
  readonly dataShare: number | null;
}

/** Gives the exit code. */
export async function endOfRun(options: EndOptions): Promise<number> {
  const { end, jsonl, missedFloor } = options;
  const log = (): void => {
    const why = end.reason === "floor" && missedFloor !== null ? { message: missedFloor } : {};
    const { dataShare } = options;
    const waited = dataShare === null ? {} : { dataShare: Number(dataShare.toFixed(3)) };
    const time = new Date().toISOString();
    jsonl.append({ event: "end", step: end.stepsDone, reason: end.reason, ...why, ...waited, time });
  };
  if (end.reason !== "complete") {
    options.note(stoppedText(options));
    log();
    // What was asked for has happened: --steps and --floor end a run well.
    return end.reason === "steps" || end.reason === "floor" ? 0 : exitCodes[end.reason];
  }
  const { steps } = options.program.experiment.schedule;
  const headline = doneText({
    steps,
    stepsHere: options.stepsHere,
    imagesHere: options.stepsHere * options.program.experiment.optimizer.globalBatch,
    wallMs: options.trainedMs,
  });
  if (options.evaluation !== null) options.note(`Evaluating the ${options.program.objective.judged.name} …`);
  // Each is named when it is done; its numbers stand in the table below.
  const done = (line: string): void => options.note(line.replace(/: .*/, ""));
  const final = (await options.evaluation?.final(done)) ?? null;
  const { epochs } = options.program.experiment.optimizer;
  if (final !== null) jsonl.append({ event: "evaluation", step: end.stepsDone, epoch: epochs, report: final });
  // The last evaluation counts as those before it do.
  if (final !== null && options.program.experiment.log.keepBestMetric !== null && options.isBest(epochs)) {
    await options.checkpoints.keep("best");
  }
  log();
  options.note(
    `\n${summaryText({
      headline,
      results:
        final === null
          ? "Nothing was evaluated: that takes labels and a folder of held-out images (data.labels, data.validation)."
          : formatText(final),
      files: filesOf(options),
      next: nextSteps(options),
    })}`,
  );
  return 0;
}

function stoppedText(options: EndOptions): string {
  const { end, environment, missedFloor, program } = options;
  const { steps } = program.experiment.schedule;
  const args = end.reason === "floor" ? withoutFlags(environment.args, ["--floor"]) : environment.args;
  const command = resumeCommand({ ...started(environment), args });
  const saved = options.lastCheckpoint === null ? "Nothing was done yet." : `Saved in ${options.lastCheckpoint.path}.`;
  if (end.stepsDone === steps) {
    return `Stopped after the last of ${steps} steps, before the evaluation. ${saved}\nTo evaluate:\n  ${command}`;
  }
  if (options.lastCheckpoint === null) return `Stopped before the first step. ${saved}`;
  if (end.reason === "floor") {
    return `Stopped after step ${end.stepsDone} of ${steps}: ${missedFloor}. ${saved}\nTo go on all the same:\n  ${command}`;
  }
  return `Stopped after step ${end.stepsDone} of ${steps}. ${saved}\nTo go on:\n  ${command}`;
}

function started({ script, variables }: TrainerEnvironment) {
  return { script, cwd: process.cwd(), starter: starterOf(variables) };
}

function nextSteps({ program, flags, environment, lastCheckpoint, evaluation }: EndOptions): Summary["next"] {
  if (lastCheckpoint === null) return [];
  const { model, options, encoder = "", features, formats } = program.objective.handsOn;
  const out = `exports/${program.experiment.name}-hf`;
  // Three lines, as every export prints them (tools/export/formats).
  const load = [
    `from transformers import ${model}`,
    `model = ${model}.from_pretrained(${JSON.stringify(out)}${options})${encoder}.eval()`,
    `features = model(pixel_values).${features}`,
  ];
  const again = { what: "Evaluate again", command: resumeCommand({ ...started(environment), args: environment.args }) };
  return [
    {
      what: "See it: curves, masks, features and evaluations on one page",
      command: `ijepa report ${quoted(flags.runDirectory)}`,
    },
    {
      what: `Hand the encoder on (--format also takes ${formats})`,
      command: `ijepa export ${quoted(flags.runDirectory)} --format hf --out ${quoted(out)}`,
    },
    { what: "Load that in Python (pip install transformers torch)", command: load.join("\n") },
    ...(evaluation === null ? [] : [again]),
    { what: "Train another experiment", command: "ijepa run my-experiment.json" },
  ];
}

function filesOf({ program, flags, lastCheckpoint }: EndOptions): { readonly path: string; readonly what: string }[] {
  const inRun = (name: string): string => join(flags.runDirectory, name);
  const checkpoint = {
    path: lastCheckpoint?.path ?? "",
    what: `weights${program.state.includes("target") ? ", target encoder" : ""} and optimizer state, with the official names`,
  };
  return [
    ...(lastCheckpoint === null ? [] : [checkpoint]),
    { path: inRun(runFiles.csv), what: "every step, in the reference's columns" },
    { path: inRun(runFiles.jsonl), what: "steps, checkpoints and evaluations as events" },
    { path: inRun(runFiles.experiment), what: `the constants of ${program.experiment.name}` },
  ];
}
