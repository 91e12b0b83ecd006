/** `ijepa run SPEC -- FLAGS…`: compiles one spec and trains; the flags go to the trainer. `--report`: and writes the run's page. */
import { spawn } from "node:child_process";
import { statSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { modulePath } from "../compiler/bundle/module-path";
import { STARTER_VARIABLE } from "../runtime/report/command";
import { missingFrom } from "../tools/pack/packages";
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
  const missing = missingFrom(folder, spec.spec).length > 0;
  const code = await trained(folder, flags, missing ? starterOf(file, options) : null);
  if (code !== 0 || options.report === undefined) return code;
  return await report([runFolder(flags) ?? compiled.plan.experiment.runDirectory], { set: [] });
}

/** The words of this command before the flags of the trainer; null where the spec can not be read again. */
function starterOf(file: string | undefined, { out, set, report: isReported }: RunOptions): readonly string[] | null {
  if (file === undefined || !statSync(file, { throwIfNoEntry: false })?.isFile()) return null;
  return [
    ...["ijepa", "run", file],
    ...(out === "generated" ? [] : ["--out", out]),
    ...set.flatMap((setting) => ["--set", setting]),
    ...(isReported === undefined ? [] : ["--report"]),
    "--",
  ];
}

/** What the trainer's own `--run-dir` says. It was well-formed, or the trainer would have refused it. */
function runFolder(flags: readonly string[]): string | undefined {
  const options = { "run-dir": { type: "string" } } as const;
  const { "run-dir": folder } = parseArgs({ args: [...flags], options, strict: false, allowPositionals: true }).values;
  return typeof folder === "string" ? folder : undefined;
}

/** The exit code of the trainer, which has the terminal to itself. */
async function trained(folder: string, flags: readonly string[], starter: readonly string[] | null): Promise<number> {
  return await new Promise((resolve) => {
    const trainer = spawn(process.execPath, [join(folder, "train.js"), ...flags], {
      stdio: "inherit",
      env: {
        ...process.env,
        NODE_PATH: modulePath(),
        ...(starter === null ? {} : { [STARTER_VARIABLE]: JSON.stringify(starter) }),
      },
    });
    // The terminal sends its signals to both; the trainer decides when it is done.
    const wait = () => {};
    process.on("SIGINT", wait);
    for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => trainer.kill(signal));
    trainer.on("error", () => resolve(2));
    trainer.on("exit", (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}
