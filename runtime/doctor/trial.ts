/**
 * The program that `ijepa doctor` runs for each engine and device, in a process of its own: it stands where the trainer
 * stands in a generated main.ts. It writes one line for each thing it learns, so that what was learnt stays known when
 * a native library ends the process.
 */
import { readFileSync } from "node:fs";
import type { Train } from "../contract";
import { resolveExternal } from "../engines/external";
import { openEngine, restartFor } from "../engines/open";
import { UserError } from "../errors";
import { messageOf } from "../exceptions";
import type { TrainerProgram } from "../experiment";
import { type TrialLine, type TrialRequest, trialMark } from "./lines";
import { measureStep, median } from "./measure";

export { generated } from "../model/generated";

export const train: Train = (program) => {
  // The command writes this argument; nobody else starts this program.
  const request = JSON.parse(process.argv[2] ?? "null") as TrialRequest;
  tryEngine(program, request).catch((error: unknown) => {
    const message = messageOf(error);
    tell({ problem: { code: error instanceof UserError ? error.code : null, message } });
    process.exitCode = 1;
  });
};

async function tryEngine(program: TrainerProgram, request: TrialRequest): Promise<void> {
  await restartFor(request.engine, request.device);
  tell({ packages: request.packages.map((name) => ({ name, version: versionOf(name) })) });
  const { threads, device, precision } = request;
  const engine = await openEngine(request.engine, { threads, device, precision });
  tell({ description: engine.description });
  const { seconds, losses } = await measureStep(program, engine, request);
  const step = median(seconds);
  tell({
    measured: {
      imagesPerS: program.experiment.optimizer.deviceBatch / step,
      stepMs: step * 1000,
      peakMiB: process.resourceUsage().maxRSS / 1024,
      losses,
    },
  });
  await engine.release();
}

function versionOf(name: string): string | null {
  const file = resolveExternal(`${name}/package.json`);
  if (file === undefined) return null;
  const { version }: { readonly version?: unknown } = JSON.parse(readFileSync(file, "utf8"));
  return typeof version === "string" ? version : "?";
}

function tell(line: TrialLine): void {
  process.stdout.write(`${trialMark}${JSON.stringify(line)}\n`);
}
