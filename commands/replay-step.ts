/** `ijepa replay-step RUN --step N`: repeats a step of a run on its own engine, records it, and compares another one with it. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { traceInTheWay, UserError } from "../runtime/errors";
import type { RecordedHow, RecordRequest } from "../runtime/replay/recording";
import { SpecRefused } from "../tools/evaluate/source";
import { replayBundle } from "../tools/replay/bundle";
import { openRunToReplay, recorderBundle } from "../tools/replay/step";
import { hasColour, printDiagnostics } from "./print";
import { comparedEngine, runCompiled } from "./replay";

export interface ReplayStepOptions {
  readonly step: string;
  readonly engine?: string;
  readonly device: string;
  readonly precision: string;
  readonly threads: string;
  readonly spec?: string;
  readonly data?: string;
  readonly out?: string;
  readonly all?: boolean;
  readonly json?: boolean;
  readonly set: readonly string[];
}

/** Resolves to the exit code: 0 everything holds, 1 something differs or the spec is wrong, 2 it could not be repeated. */
export async function replayStep(run: string, options: ReplayStepOptions): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "ijepa-step-"));
  try {
    if (options.out !== undefined && existsSync(options.out)) throw traceInTheWay({ path: options.out });
    const found = openRunToReplay({ run, spec: options.spec ?? null, settings: options.set });
    const { engine = found.experiment.hardware.engine === "onnx" ? "reference" : "onnx" } = options;
    const given = givenOf({ ...options, engine });
    if ("wrong" in given) {
      process.stderr.write(`${given.wrong}\n`);
      return 2;
    }
    const { step, compared, precision } = given;
    const trace = resolve(options.out ?? join(folder, "step.safetensors"));
    const request: RecordRequest = {
      run: resolve(run),
      step,
      dataRoot: resolve(options.data ?? found.dataRoot),
      threads: compared.threads,
      out: trace,
      spec: JSON.stringify(found.spec),
      comparedInBfloat16: precision === "bf16",
    };
    const recorded = await runCompiled(await recorderBundle(found), request);
    if (recorded !== 0) return recorded;
    if (options.json !== true) process.stdout.write(`${howText(trace)}\n`);
    const hardware = { ...found.spec.hardware, precision };
    const made = await replayBundle(trace, { hardware });
    if (!made.ok) throw new Error("internal: the compiler's own step does not fit its recording");
    return await runCompiled(made.text, {
      ...{ trace, ...compared, precision, colour: hasColour(process.stdout) },
      output: options.json === true ? "json" : options.all === true ? "every tensor" : "summary",
    });
  } catch (error) {
    if (error instanceof SpecRefused) {
      printDiagnostics(error.diagnostics);
      return 1;
    }
    if (!(error instanceof UserError)) throw error;
    process.stderr.write(`${error.code}: ${error.message}\n`);
    return 2;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function givenOf(options: ReplayStepOptions & { readonly engine: string }) {
  const step = Number(options.step);
  if (!Number.isSafeInteger(step) || step < 1) {
    return { wrong: `--step takes a whole number of 1 or more; found ${JSON.stringify(options.step)}` };
  }
  if (options.out !== undefined && !options.out.endsWith(".safetensors")) {
    return { wrong: `--out takes a name that ends in .safetensors; found ${JSON.stringify(options.out)}` };
  }
  const compared = comparedEngine(options);
  if ("wrong" in compared) return compared;
  const { precision, ...where } = compared;
  return { step, compared: where, precision };
}

function howText(trace: string): string {
  // The recorder has just written it.
  const { recorded } = JSON.parse(readFileSync(trace.replace(/safetensors$/, "json"), "utf8")) as {
    readonly recorded: RecordedHow;
  };
  const { step, fromStep, checkpoint, loss, engine, logged } = recorded;
  const from = checkpoint === null ? "the weights as they were drawn" : `${checkpoint}, after step ${fromStep}`;
  const met =
    logged.losses === 0
      ? "The log has none of the losses on the way."
      : logged.largestDifference === 0
        ? `The ${logged.losses} losses that the log has of the way are the same to the bit.`
        : `The ${logged.losses} losses that the log has of the way differ by up to ${logged.largestDifference.toExponential(2)}: ` +
          "it is not the same training, or not the same machine.";
  return `Step ${step} on ${engine}, from ${from}: loss ${loss}. ${met}\n`;
}
