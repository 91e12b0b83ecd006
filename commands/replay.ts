/** `ijepa replay TRACE…`: compiles what was trained in a recorded run, goes through it, and compares every number. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { modulePath } from "../compiler/bundle/module-path";
import { errors } from "../compiler/diagnostics/catalogue";
import { type Diagnostic, unplaced } from "../compiler/diagnostics/diagnostic";
import type { TypeFault } from "../compiler/emit/check";
import type { GeneratedCode } from "../compiler/emit/code";
import { devicesOf, engineNames, precisionsOf } from "../compiler/spec/hardware-rules";
import type { Precision } from "../runtime/engines/engine";
import { UserError } from "../runtime/errors";
import type { ReplayRequest } from "../runtime/replay/replay";
import { compiledTrace, replayBundle } from "../tools/replay/bundle";
import { differs, readStep, writeStep } from "../tools/replay/trainer";
import { shellWord } from "../tools/sweep/executors/shell";
import { hasColour, printDiagnostics } from "./print";

export interface ReplayOptions {
  readonly engine: string;
  readonly device: string;
  readonly threads: string;
  readonly precision: string;
  readonly init?: string;
  /** A folder whose step is taken in the place of the compiler's own. */
  readonly trainer?: string;
  /** Where the trainer of the trace is written instead of a replay. */
  readonly write?: string;
  readonly json?: boolean;
  readonly brief?: boolean;
}

const ENGINES = [...engineNames, "reference"] as const;

export interface ComparedEngine extends Pick<ReplayRequest, "engine" | "device" | "threads"> {
  readonly precision: Precision;
}

/** What is to be compared with; or what is wrong with the options, as a sentence. */
export function comparedEngine(
  options: Pick<ReplayOptions, "engine" | "device" | "threads" | "precision">,
): ComparedEngine | { readonly wrong: string } {
  const engine = ENGINES.find((name) => name === options.engine);
  if (engine === undefined) {
    return { wrong: `--engine takes ${either(ENGINES)}; found ${JSON.stringify(options.engine)}` };
  }
  const devices = engine === "reference" ? (["cpu"] as const) : devicesOf(engine);
  const device = devices.find((name) => name === options.device);
  if (device === undefined) {
    const found = JSON.stringify(options.device);
    return { wrong: `--device takes ${either(devices)} with --engine ${engine}; found ${found}` };
  }
  const precisions = engine === "reference" ? (["fp32", "bf16"] as const) : precisionsOf(engine, device);
  const precision = precisions.find((name) => name === options.precision);
  if (precision === undefined) {
    const [found, having] = [JSON.stringify(options.precision), withPrecision(options.precision)];
    const others = having.length === 0 ? "" : `; ${either(having)} ${having.length === 1 ? "has" : "have"} it`;
    const where = `with --engine ${engine} --device ${device}`;
    return { wrong: `--precision takes ${either(precisions)} ${where}; found ${found}${others}` };
  }
  const threads = Number(options.threads);
  if (!Number.isInteger(threads) || threads < 1) {
    return { wrong: `--threads takes a whole number of 1 or more; found ${JSON.stringify(options.threads)}` };
  }
  return { engine, device, threads, precision };
}

/** Resolves to the exit code: 0 everything holds, 1 something differs, 2 a trace could not be read. */
export async function replay(files: readonly string[], options: ReplayOptions): Promise<number> {
  const compared = comparedEngine(options);
  if ("wrong" in compared) {
    process.stderr.write(`${compared.wrong}\n`);
    return 2;
  }
  const { precision, ...where } = compared;
  const output = options.json === true ? "json" : options.brief === true ? "summary" : "every tensor";
  const colour = hasColour(process.stdout);
  const init = options.init === undefined ? undefined : resolve(options.init);
  if (options.write !== undefined) return writeTrainer(options.write, files, { init, precision });
  const { trainer } = options;
  const step = trainer === undefined ? undefined : readStep(trainer);
  if (step === null) {
    printDiagnostics([unplaced(trainer ?? null, errors.noStep())]);
    return 2;
  }
  let worst = 0;
  for (const file of files) {
    const request = { trace: resolve(file), ...where, init, output, colour } as const;
    const edited = trainer === undefined || step === undefined ? null : { trainer, step };
    const code = await replayOne(request, precision, edited);
    worst = Math.max(worst, code);
  }
  return worst;
}

export function either(names: readonly string[]): string {
  return [names.slice(0, -1).join(", "), ...names.slice(-1)].filter((text) => text !== "").join(" or ");
}

/** `--engine … --device …` of all that have a precision. */
function withPrecision(name: string): readonly string[] {
  const known = engineNames.flatMap((engine) =>
    devicesOf(engine)
      .filter((device) => precisionsOf(engine, device).some((each) => each === name))
      .map((device) => `--engine ${engine} --device ${device}`),
  );
  return known.length === 0 ? [] : [...known, "--engine reference"];
}

/** The trainer of one trace, for a person to edit. */
async function writeTrainer(
  folder: string,
  files: readonly string[],
  { init, precision }: { readonly init: string | undefined; readonly precision: Precision },
): Promise<number> {
  const [file, ...others] = files;
  if (file === undefined || others.length > 0) {
    process.stderr.write(`--write writes the trainer of one trace; found ${files.length}\n`);
    return 2;
  }
  const flag = precision === "fp32" ? "" : ` --precision ${precision}`;
  return reportingUserErrors(async () => {
    if (!writeStep(folder, await compiledTrace(resolve(file), { init, hardware: { precision } }))) {
      printDiagnostics([unplaced(join(folder, "step.ts"), errors.stepInTheWay())]);
      return 2;
    }
    process.stdout.write(
      `${folder}: edit step.ts, then ijepa replay ${shellWord(file)} --trainer ${shellWord(folder)}${flag}\n`,
    );
    return 0;
  });
}

interface Edited {
  readonly trainer: string;
  readonly step: readonly GeneratedCode[];
}

async function replayOne(request: ReplayRequest, precision: Precision, edited: Edited | null): Promise<number> {
  return reportingUserErrors(async () => {
    const made = await replayBundle(request.trace, {
      init: request.init,
      hardware: { precision },
      step: edited?.step,
    });
    if (!made.ok) {
      printDiagnostics(made.faults.map((fault) => faultIn(fault, edited)));
      return 2;
    }
    if (edited !== null) {
      const how = differs(edited.step, made.compiled)
        ? "which is not what the compiler writes"
        : "as the compiler writes it";
      process.stderr.write(`The step is that of ${edited.trainer}, ${how}.\n`);
    }
    return await runCompiled(made.text, request);
  });
}

/** What does not fit stands in the folder's own file, or in what the compiler calls it by. */
function faultIn({ file, line, column, length, message }: TypeFault, edited: Edited | null): Diagnostic {
  const own = edited?.step.find(({ name }) => name === file);
  if (edited === null || own === undefined) return unplaced(null, errors.stepUnfit({ file, message }));
  const lineText = own.text.split("\n")[line - 1] ?? "";
  const place = { line, column, length, lineText };
  return { ...errors.typeError({ message }), file: join(edited.trainer, file), place, path: null };
}

async function reportingUserErrors(act: () => Promise<number>): Promise<number> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    process.stderr.write(`${error.code}: ${error.message}\n`);
    return 2;
  }
}

/** In a process of its own, as a trainer runs; its native packages are those of the compiler. */
export async function runCompiled(script: string, request: object, what = "The replay"): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "ijepa-replay-"));
  try {
    const file = join(folder, "replay.cjs");
    writeFileSync(file, script);
    return await new Promise<number>((done, fail) => {
      const child = spawn(process.execPath, [file, JSON.stringify(request)], {
        stdio: ["ignore", "pipe", "pipe"],
        env: { ...process.env, NODE_PATH: modulePath() },
      });
      child.stdout.on("data", (chunk: Buffer) => process.stdout.write(chunk));
      child.stderr.on("data", (chunk: Buffer) => process.stderr.write(chunk));
      child.on("error", fail);
      child.on("close", (code, signal) => {
        if (signal !== null) process.stderr.write(`${what} was ended by ${signal}.\n`);
        done(code ?? 2);
      });
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
