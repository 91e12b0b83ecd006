/** The last words of a run: how good the features are, where the files lie, what to run next. */
import { durationText, rateText } from "./text";

export interface SummaryFile {
  readonly path: string;
  readonly what: string;
}

export interface Summary {
  readonly headline: string;
  /** The table of the evaluation, or why there is none. */
  readonly results: string;
  readonly files: readonly SummaryFile[];
  /** A command may have several lines. */
  readonly next: readonly { readonly command: string; readonly what: string }[];
}

export function summaryText(summary: Summary): string {
  const parts = [summary.headline, summary.results];
  if (summary.files.length > 0) {
    parts.push(`Files\n${columns(summary.files.map(({ path, what }) => [path, what]))}`);
  }
  if (summary.next.length > 0) {
    const lines = (command: string): string => command.replaceAll("\n", "\n    ");
    parts.push(`Next\n${summary.next.map(({ command, what }) => `  ${what}:\n    ${lines(command)}`).join("\n")}`);
  }
  return parts.join("\n\n");
}

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join("\n");
}

export function doneText(what: {
  readonly steps: number;
  /** Steps of this run of the program, their images and time. */
  readonly stepsHere: number;
  readonly imagesHere: number;
  readonly wallMs: number;
}): string {
  if (what.stepsHere === 0) return `All ${what.steps} steps were done before.`;
  const rate = `${durationText(what.wallMs)} (${rateText(what.imagesHere / (what.wallMs / 1000))} images/s)`;
  if (what.stepsHere === what.steps) return `Done: ${what.steps} steps in ${rate}.`;
  return `Done: ${what.steps} steps, the last ${what.stepsHere} of them in ${rate}.`;
}
