/** Runs a step on every engine and device, each in a process of its own, and says what came of it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { packageVersion } from "../../compiler/emit/package-root";
import type { FoundPackage, Measured, TrialRequest } from "../../runtime/doctor/lines";
import { runTrial, type TrialResult } from "./run-trial";
import { allSubjects, type NamedSubject } from "./subjects";
import { type System, system } from "./system";

/**
 * ok: runs, with the numbers of the reference. wrong: runs, with others. missing: a package or a plugin is not here. failed: it
 * says what is wrong. crashed: its process died. late: no answer in time.
 */
export type State = "ok" | "wrong" | "missing" | "failed" | "crashed" | "late";

export interface Finding {
  readonly subject: NamedSubject;
  readonly state: State;
  readonly packages: readonly FoundPackage[];
  /** The engine's own line, where it came up. */
  readonly description: string | null;
  readonly measured: Measured | null;
  /** Greatest difference of a loss from the reference's, as a share of it. */
  readonly lossError: number | null;
  /** What went wrong, for people; null where nothing did. */
  readonly problem: string | null;
  /** Of the error, where the engine knows it: R101, … (docs/reference/errors.md). */
  readonly code: string | null;
}

export interface Diagnosis {
  readonly version: string;
  readonly system: System;
  readonly findings: readonly Finding[];
}

export interface DiagnoseOptions {
  /** From where packages are looked for. */
  readonly folder: string;
  /** A file of `trialBundle` that was made before. */
  readonly program?: string;
  /** Only these subjects. */
  readonly only?: (subject: NamedSubject) => boolean;
  /** Of each check, at least. */
  readonly seconds?: number;
  readonly limitSeconds?: number;
  /** Called with each finding as it comes. */
  readonly tell?: (finding: Finding) => void;
}

/** Steps whose losses are compared: at the third, two updates by all gradients lie behind. */
const COMPARED = 3;

/**
 * Engines round to float32 in different orders, and AdamW makes a full step of a gradient that is nothing but rounding.
 * Correct engines are within 2e-6; what a wrong op does is far larger.
 */
const TOLERANCE = 1e-4;

/** Errors of a trainer that say that a package or a plugin is not here. */
const MISSING: ReadonlySet<string> = new Set(["R101", "R105"]);

export async function diagnose(options: DiagnoseOptions): Promise<Diagnosis> {
  const { folder, only = () => true, seconds = 1, limitSeconds = 60, tell = () => {} } = options;
  const temporary = mkdtempSync(join(tmpdir(), "ijepa-doctor-"));
  try {
    const script = options.program ?? join(temporary, "doctor.cjs");
    // Loaded only here: where there is a program already, there may be no compiler.
    if (options.program === undefined) writeFileSync(script, await (await import("./trial-bundle")).trialBundle());
    const threads = availableParallelism();
    const common = { precision: "fp32", threads } as const;
    const trial = (request: TrialRequest): Promise<TrialResult> => runTrial({ script, request, folder, limitSeconds });
    const reference = await trial({
      ...common,
      engine: "reference",
      device: "cpu",
      packages: [],
      warmup: 0,
      steps: COMPARED,
      seconds: 0,
    });
    const wanted = reference.measured?.losses;
    if (wanted === undefined) throw new Error(`internal: the reference did not run: ${problemOf(reference)}`);
    const findings: Finding[] = [];
    for (const subject of allSubjects().filter(only)) {
      const { engine, device, packages } = subject;
      const result = await trial({ ...common, engine, device, packages, warmup: COMPARED, steps: 1, seconds });
      const finding = findingOf(subject, result, wanted);
      tell(finding);
      findings.push(finding);
    }
    return { version: packageVersion(), system: system(), findings };
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Whether the default engine of a spec works. */
export function defaultWorks({ findings }: Diagnosis): boolean {
  return findings.some(({ subject, state }) => subject.engine === "onnx" && subject.device === "cpu" && state === "ok");
}

function findingOf(subject: NamedSubject, result: TrialResult, wanted: readonly number[]): Finding {
  const { packages, description } = result;
  const measured = result.measured && { ...result.measured, losses: result.measured.losses.slice(0, COMPARED) };
  const lossError = measured === null ? null : errorOf(measured.losses, wanted);
  const state = stateOf(result, lossError);
  const problem = {
    ok: null,
    wrong: `Its losses are ${measured?.losses.join(", ")}; the reference's are ${wanted.join(", ")}.`,
    missing: subject.packages.length > 0 ? `${subject.packages.join(" or ")} is not installed.` : problemOf(result),
    failed: problemOf(result),
    crashed: problemOf(result),
    late: "It gave no answer in time.",
  }[state];
  return { subject, state, packages, description, measured, lossError, problem, code: result.problem?.code ?? null };
}

function stateOf({ problem, ended, measured, exitCode }: TrialResult, lossError: number | null): State {
  if (ended === "time") return "late";
  // After the measurement only the way out is left; a library that trips there has done its work.
  if (measured !== null) return lossError !== null && lossError <= TOLERANCE ? "ok" : "wrong";
  if (problem !== null) return MISSING.has(problem.code ?? "") ? "missing" : "failed";
  return ended !== null || exitCode !== 0 ? "crashed" : "failed";
}

function problemOf({ problem, ended, exitCode, output }: TrialResult): string {
  if (problem !== null) return problem.message;
  const end = ended === null ? `Its process ended with ${exitCode}` : `Its process was ended by ${ended}`;
  return output === "" ? `${end}, without a word.` : `${end}. Its last words: ${output}`;
}

/** NaN counts as wrong. */
function errorOf(found: readonly number[], wanted: readonly number[]): number {
  const errors = wanted.map((value, i) => Math.abs((found[i] ?? Number.NaN) - value) / Math.abs(value));
  return errors.some(Number.isNaN) ? Number.POSITIVE_INFINITY : Math.max(...errors);
}
