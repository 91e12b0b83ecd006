/** `ijepa run SPEC -- FLAGS…`: compiles one spec and trains; the flags go to the trainer. */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { join } from "node:path";
import { modulePath } from "../compiler/bundle/module-path";
import type { SetOption } from "./set-option";
import { loadSpecs } from "./specs";
import { printRefused, writeSpec } from "./write-specs";

export interface RunOptions extends SetOption {
  readonly out: string;
}

/** Resolves to the trainer's own exit code. */
export async function run([file, ...flags]: readonly string[], { out, set }: RunOptions): Promise<number> {
  const loaded = loadSpecs(file === undefined ? [] : [file], { set });
  if (!loaded.ok) return loaded.code;
  const [spec] = loaded.specs;
  if (spec === undefined) return 2;
  const outcome = await writeSpec(out, spec);
  if (!outcome.ok) {
    printRefused([outcome]);
    return 1;
  }
  const { folder } = outcome.written;
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
