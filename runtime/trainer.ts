/** The entry of every generated trainer. */
import { isMainThread } from "node:worker_threads";
import { parseFlags } from "./cli";
import { UserError } from "./errors";
import type { TrainerProgram } from "./experiment";
import { nodeEnvironment } from "./loop/node-environment";
import { run } from "./loop/run";

export { generated } from "./model/generated";

/** Runs the trainer as its command line asks, and sets the exit code: 0 done, 1 failed, 2 usage, 130 or 143 stopped. */
export function train(program: TrainerProgram): void {
  const environment = nodeEnvironment();
  // The bundle is also the file of the threads that prepare images.
  if (!isMainThread) {
    environment.runWorker();
    return;
  }
  const parsed = parseFlags(program.experiment, environment.args);
  if (parsed.kind === "text") {
    (parsed.exitCode === 0 ? environment.stdout : environment.stderr).write(parsed.text);
    process.exitCode = parsed.exitCode;
    return;
  }
  run(program, parsed.flags, environment).then(
    (code) => {
      process.exitCode = code;
    },
    (error: unknown) => {
      environment.stderr.write(`${errorText(error)}\n`);
      process.exitCode = 1;
    },
  );
}

/** A user's error is its message alone; anything else is ours, and the stack says where. */
export function errorText(error: unknown): string {
  if (error instanceof UserError) return `${error.code}: ${error.message}`;
  const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `This is a fault of ijepa, not of your experiment. Please report it with these lines:\n${trace}`;
}
