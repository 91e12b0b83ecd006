/** `ijepa evaluate RUN|CHECKPOINT`: what the frozen features of an encoder are worth. */
import { errors, exitCode } from "../compiler/diagnostics/catalogue";
import { type Diagnostic, unplaced } from "../compiler/diagnostics/diagnostic";
import { UserError } from "../runtime/errors";
import { evaluateEncoder } from "../tools/evaluate/evaluate";
import { type ProtocolName, protocolNames, resultText, usualProtocols } from "../tools/evaluate/result";
import { SpecRefused } from "../tools/evaluate/source";
import { ExportRefused } from "../tools/export/refused";
import type { EncoderChoice } from "../tools/export/source";
import { answersInJson } from "./format";
import { printDiagnostics } from "./print";

export interface EvaluateCommandOptions {
  readonly protocol?: string;
  readonly data?: string;
  readonly labels?: string;
  readonly encoder: string;
  readonly spec?: string;
  readonly trainImages?: string;
  readonly testImages?: string;
  readonly epochs: string;
  readonly cache?: string;
  readonly json?: boolean;
}

/** Resolves to the exit code: 0 evaluated, 1 the spec is wrong, 2 could not evaluate. */
export async function evaluate(from: string, options: EvaluateCommandOptions): Promise<number> {
  const protocols = protocolsOf(options.protocol);
  const encoder = encoderOf(options.encoder);
  const trainImages = countOf("--train-images", options.trainImages);
  const testImages = countOf("--test-images", options.testImages);
  const epochs = countOf("--epochs", options.epochs);
  if ("wrong" in protocols) return refused([protocols.wrong]);
  if ("wrong" in encoder) return refused([encoder.wrong]);
  if ("wrong" in trainImages) return refused([trainImages.wrong]);
  if ("wrong" in testImages) return refused([testImages.wrong]);
  if ("wrong" in epochs) return refused([epochs.wrong]);
  const { data = null, labels = null, spec = null, cache = null, json = false } = options;
  const progress = progressLine();
  return reporting(async () => {
    const results = await evaluateEncoder({
      from,
      encoder: encoder.value,
      protocols: protocols.value,
      data,
      labels,
      spec,
      cache,
      trainImages: trainImages.value,
      testImages: testImages.value,
      epochs: epochs.value ?? 1,
      progress: progress.show,
    }).finally(progress.clear);
    process.stdout.write(`${json ? JSON.stringify(results, null, 2) : resultText(results)}\n`);
    return 0;
  });
}

/** Says what a person can mend; 2 of what is not a spec. */
export async function reporting(work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SpecRefused) return refused(error.diagnostics);
    if (error instanceof ExportRefused) return refused([unplaced(error.file, error.problem)]);
    if (!(error instanceof UserError)) throw error;
    const { code } = error;
    const message = error.message.replace(/^--init-from: /, "");
    if (answersInJson()) process.stdout.write(`${JSON.stringify({ error: { code, message } }, null, 2)}\n`);
    else process.stderr.write(`${code}: ${message}\n`);
    return 2;
  }
}

type Given<T> = { readonly value: T } | { readonly wrong: Diagnostic };

const misused = (flag: string, found: string, hint: string): { readonly wrong: Diagnostic } => ({
  wrong: unplaced(null, errors.badUsage({ what: `${flag} is ${JSON.stringify(found)}`, hint })),
});

function protocolsOf(given: string | undefined): Given<readonly ProtocolName[]> {
  if (given === undefined) return { value: usualProtocols };
  if (given === "all") return { value: protocolNames };
  const names = given.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !protocolNames.some((known) => known === name));
  if (unknown !== undefined) return misused("--protocol", given, `It takes ${protocolNames.join(", ")}, or all.`);
  return { value: protocolNames.filter((known) => names.includes(known)) };
}

export function encoderOf(given: string): Given<EncoderChoice> {
  if (given === "target" || given === "context") return { value: given };
  return misused("--encoder", given, "It takes target, context.");
}

function countOf(flag: string, given: string | undefined): Given<number | null> {
  if (given === undefined) return { value: null };
  const count = Number(given);
  if (Number.isSafeInteger(count) && count > 0) return { value: count };
  return misused(flag, given, "It takes a whole number of 1 or more.");
}

export function refused(diagnostics: readonly Diagnostic[]): number {
  printDiagnostics(diagnostics);
  return exitCode(diagnostics);
}

/** One line that is written over, where somebody looks at it. */
export function progressLine(): { readonly show: (line: string) => void; readonly clear: () => void } {
  const { stderr } = process;
  if (!stderr.isTTY) return { show: () => undefined, clear: () => undefined };
  return { show: (line) => stderr.write(`\r\u001b[K${line}`), clear: () => stderr.write("\r\u001b[K") };
}
