/** `ijepa run SPEC -- FLAGS…`: compiles one spec and trains; the flags go to the trainer. `--report`: and writes the run's page. */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { modulePath } from "../compiler/bundle/module-path";
import { report } from "./report";
import type { SetOption } from "./set-option";
import { loadSpecs } from "./specs";
import { printRefused, writeSpec } from "./write-specs";

export interface RunOptions extends SetOption {
  readonly out: string;
  readonly report?: true;
}

/** Resolves to the trainer's own exit code, or where it ended well to that of its report. */
export async function run([file, ...flags]: readonly string[], options: RunOptions): Promise<number> {
  const { out, set } = options;
  const loaded = loadSpecs(file === undefined ? [] : [file], { set });
  if (!loaded.ok) return loaded.code;
  const [spec] = loaded.specs;
  if (spec === undefined) return 2;
  const outcome = await writeSpec(out, spec);
  if (!outcome.ok) {
    printRefused([outcome]);
    return 1;
  }
  const { folder, compiled } = outcome.written;
  const code = await trained(folder, flags);
  if (code !== 0 || options.report === undefined) return code;
  return await report([runFolder(flags) ?? compiled.plan.experiment.runDirectory], { set: [] });
}

/** What the trainer's own `--run-dir` says. It was well-formed, or the trainer would have refused it. */
function runFolder(flags: readonly string[]): string | undefined {
  const options = { "run-dir": { type: "string" } } as const;
  const { "run-dir": folder } = parseArgs({ args: [...flags], options, strict: false, allowPositionals: true }).values;
  return typeof folder === "string" ? folder : undefined;
}

/** The exit code of the trainer, which has the terminal to itself. */
async function trained(folder: string, flags: readonly string[]): Promise<number> {
  return await new Promise((resolve) => {
    const trainer = spawn(process.execPath, [join(folder, "train.js"), ...flags], {
      stdio: "inherit",
      env: { ...process.env, NODE_PATH: modulePath() },
    });
    // The terminal sends its signals to both; the trainer decides when it is done.
    const wait = () => {};
    process.on("SIGINT", wait);
    for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => trainer.kill(signal));
    trainer.on("error", () => resolve(2));
    trainer.on("exit", (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}
