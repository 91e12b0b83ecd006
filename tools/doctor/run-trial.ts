/** Tries an engine on a device in a process of its own, which runs one tiny experiment and times its step. */
import { spawn } from "node:child_process";
import { modulePath } from "../../compiler/bundle/module-path";
import {
  type FoundPackage,
  type Measured,
  type TrialLine,
  type TrialRequest,
  trialMark,
} from "../../runtime/doctor/lines";

export interface TrialResult {
  readonly packages: readonly FoundPackage[];
  readonly description: string | null;
  readonly measured: Measured | null;
  /** What the engine said of itself, as an error for users (with its code) or not. */
  readonly problem: { readonly code: string | null; readonly message: string } | null;
  /** How the process ended when it did not end by itself: a signal, or "time" when it was given up. */
  readonly ended: string | null;
  readonly exitCode: number | null;
  /** The last lines that libraries wrote. */
  readonly output: string;
}

export interface RunTrialInput {
  /** The file of `trialBundle`. */
  readonly script: string;
  readonly request: TrialRequest;
  /** From where packages are looked for, as for a trainer that is started there. */
  readonly folder: string;
  readonly limitSeconds: number;
}

/** Never throws for what happens in there. */
export async function runTrial({ script, request, folder, limitSeconds }: RunTrialInput): Promise<TrialResult> {
  const known: { -readonly [K in keyof TrialResult]: TrialResult[K] } = {
    packages: [],
    description: null,
    measured: null,
    problem: null,
    ended: null,
    exitCode: null,
    output: "",
  };
  const child = spawn(process.execPath, [script, JSON.stringify(request)], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NODE_PATH: modulePath(), TF_CPP_MIN_LOG_LEVEL: process.env.TF_CPP_MIN_LOG_LEVEL ?? "1" },
  });
  let stdout = "";
  let others = "";
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    others += chunk.toString();
  });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, limitSeconds * 1000);
  await new Promise<void>((done) => {
    child.on("error", (error) => {
      known.problem = { code: null, message: error.message };
      done();
    });
    child.on("close", (code, signal) => {
      known.exitCode = code;
      known.ended = late ? "time" : signal;
      done();
    });
  });
  clearTimeout(timer);
  for (const line of stdout.split("\n")) {
    if (line.startsWith(trialMark)) Object.assign(known, parsed(line.slice(trialMark.length)));
    else if (line.trim() !== "") others += `${line}\n`;
  }
  known.output = lastWords(others);
  return known;
}

/** Without the frames that Node and C libraries print below what they say. */
function lastWords(text: string): string {
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !/^\s*(\d+: |-----|at )/.test(line));
  return lines.slice(-6).join("\n");
}

function parsed(json: string): Partial<TrialLine> {
  try {
    // The program writes these lines, from the type.
    return JSON.parse(json) as TrialLine;
  } catch {
    return {}; // The process died within a line.
  }
}
