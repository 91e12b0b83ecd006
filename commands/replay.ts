/** `ijepa replay TRACE…`: compiles what was trained in a recorded run, goes through it, and compares every number. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { modulePath } from "../compiler/bundle/module-path";
import { devicesOf, engineNames } from "../compiler/spec/hardware-rules";
import { UserError } from "../runtime/errors";
import type { ReplayRequest } from "../runtime/replay/replay";
import { replayBundle } from "../tools/replay/bundle";
import { hasColour } from "./print";

export interface ReplayOptions {
  readonly engine: string;
  readonly device: string;
  readonly threads: string;
  readonly init?: string;
  readonly json?: boolean;
  readonly brief?: boolean;
}

const ENGINES = [...engineNames, "reference"] as const;

/** Resolves to the exit code: 0 everything holds, 1 something differs, 2 a trace could not be read. */
export async function replay(files: readonly string[], options: ReplayOptions): Promise<number> {
  const engine = ENGINES.find((name) => name === options.engine);
  if (engine === undefined) {
    process.stderr.write(`--engine takes ${either(ENGINES)}; found ${JSON.stringify(options.engine)}\n`);
    return 2;
  }
  const devices = engine === "reference" ? (["cpu"] as const) : devicesOf(engine);
  const device = devices.find((name) => name === options.device);
  if (device === undefined) {
    const found = JSON.stringify(options.device);
    process.stderr.write(`--device takes ${either(devices)} with --engine ${engine}; found ${found}\n`);
    return 2;
  }
  const threads = Number(options.threads);
  if (!Number.isInteger(threads) || threads < 1) {
    process.stderr.write(`--threads takes a whole number of 1 or more; found ${JSON.stringify(options.threads)}\n`);
    return 2;
  }
  const output = options.json === true ? "json" : options.brief === true ? "summary" : "every tensor";
  const colour = hasColour(process.stdout);
  const init = options.init === undefined ? undefined : resolve(options.init);
  let worst = 0;
  for (const file of files) {
    const code = await replayOne({ trace: resolve(file), init, engine, device, threads, output, colour });
    worst = Math.max(worst, code);
  }
  return worst;
}

function either(names: readonly string[]): string {
  return [names.slice(0, -1).join(", "), ...names.slice(-1)].filter((text) => text !== "").join(" or ");
}

async function replayOne(request: ReplayRequest): Promise<number> {
  try {
    return await runCompiled(await replayBundle(request.trace, { init: request.init }), request);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    process.stderr.write(`${error.code}: ${error.message}\n`);
    return 2;
  }
}

/** In a process of its own, as a trainer runs; its native packages are those of the compiler. */
async function runCompiled(script: string, request: ReplayRequest): Promise<number> {
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
        if (signal !== null) process.stderr.write(`The replay was ended by ${signal}.\n`);
        done(code ?? 2);
      });
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
