/** The entry of every generated trainer. */
import { isMainThread, workerData } from "node:worker_threads";
import { parseFlags } from "./cli";
import type { GeneratedTrainer, LoadEngine } from "./contract";
import { isDataWorker, runWorker } from "./data/worker-thread";
import { editedCode } from "./edited-code";
import { lookForPackages } from "./engines/native-packages";
import { errorText } from "./error-text";
import { nodeEnvironment } from "./loop/node-environment";
import { runOnRanks } from "./loop/on-ranks";
import { outliveTerminal } from "./report/terminal";
import { restartWith } from "./restart";
import { checkSizes } from "./step/agree";

export { errorText } from "./error-text";
export { generated } from "./model/generated";

/**
 * Runs the trainer as its command line asks, and sets the exit code: 0 done, 1 failed, 2 usage, 75 another process of the run is
 * lost, 129, 130 or 143 stopped.
 */
export function train(generated: GeneratedTrainer, loadEngine: LoadEngine): void {
  // The bundle is also the file of the threads that prepare images, and of those that an engine starts.
  if (!isMainThread) {
    if (isDataWorker(workerData)) runWorker(workerData);
    else void loadEngine().then(({ runThread }) => runThread?.(workerData));
    return;
  }
  outliveTerminal();
  const program = marked(generated);
  const environment = nodeEnvironment(loadEngine);
  const parsed = parseFlags(program.experiment, environment.args, environment.dataRoot);
  if (parsed.kind === "text") {
    (parsed.exitCode === 0 ? environment.stdout : environment.stderr).write(parsed.text);
    process.exitCode = parsed.exitCode;
    return;
  }
  const fail = (error: unknown): void => {
    environment.stderr.write(`${errorText(error)}\n`);
    process.exitCode = 1;
  };
  try {
    checkSizes(program.experiment, generated.sizes);
  } catch (error) {
    fail(error);
    return;
  }
  // Without this a lost promise would end the process as if all had gone well.
  const stalled = (): void => fail(new Error("internal: the run waits for something that never comes"));
  process.once("beforeExit", stalled);
  // An engine may need variables that are only read when a process starts.
  loadEngine()
    .then((engine) => {
      lookForPackages(program.experiment);
      restartWith(engine.startVariables?.(program.experiment.hardware) ?? {});
      return runOnRanks(program, parsed.flags, environment, process.env, engine);
    })
    .then((code) => {
      process.exitCode = code;
    }, fail)
    .finally(() => process.off("beforeExit", stalled));
}

/** The experiment of an edited trainer says so, and with it every checkpoint and log of its runs. */
function marked(program: GeneratedTrainer): GeneratedTrainer {
  return editedCode === null ? program : { ...program, experiment: { ...program.experiment, editedCode } };
}
