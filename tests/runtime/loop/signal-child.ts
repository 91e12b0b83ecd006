/** A trainer with slow steps, for signals.test.ts: `STEP_MS=200 node signal-child.ts [flags]`. */
import { setTimeout as wait } from "node:timers/promises";
import { parseFlags } from "../../../runtime/cli";
import { run } from "../../../runtime/loop/run";
import { fakeEngine, fakeEnvironment, fakeImages, tinyProgram } from "./fake";

const stepMs = Number(process.env.STEP_MS ?? "0");
const program = tinyProgram();
const parsed = parseFlags(program.experiment, process.argv.slice(2));
if (parsed.kind !== "run") throw new Error(parsed.text);
const environment = fakeEnvironment(fakeEngine(), {
  stdout: process.stdout,
  stderr: process.stderr,
  openImages: async ({ experiment, fromStep }) => {
    const images = fakeImages(experiment, fromStep);
    return { ...images, next: () => wait(stepMs / 2).then(() => images.next()) };
  },
});
process.exitCode = await run(program, parsed.flags, environment);
