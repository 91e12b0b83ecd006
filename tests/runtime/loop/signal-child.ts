/**
 * A trainer for signals.test.ts: `HOLD=signal node signal-child.ts [flags]`. In its 4th step it waits for a signal and goes
 * on a little later; with HOLD=forever it never goes on; without HOLD it does not wait. HOLD_AT is the place where it waits
 * instead: the start of the engine, the start (of the images), or the end (the final evaluation).
 */
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { parseFlags } from "../../../runtime/cli";
import { run } from "../../../runtime/loop/run";
import { outliveTerminal } from "../../../runtime/report/terminal";
import { fakeEngine, fakeEnvironment, fakeImages, tinyProgram } from "./fake";

outliveTerminal();
const program = tinyProgram();
const parsed = parseFlags(program.experiment, process.argv.slice(2));
if (parsed.kind !== "run") throw new Error(parsed.text);
const hold = process.env.HOLD;
const heldStep = Number(process.env.HOLD_STEP ?? "4");

async function holding(): Promise<void> {
  process.stdout.write("holding\n");
  const keepsAlive = setTimeout(() => {}, 60_000);
  await Promise.race(["SIGINT", "SIGTERM", "SIGHUP"].map((signal) => once(process, signal)));
  if (hold === "forever") await wait(60_000);
  clearTimeout(keepsAlive);
  await wait(100);
}

const engine = fakeEngine();
const environment = fakeEnvironment(engine, {
  stdout: process.stdout,
  stderr: process.stderr,
  createEngine: async () => {
    if (process.env.HOLD_AT === "engine") await holding();
    return engine;
  },
  openEvaluation: async () => ({
    now: async () => null,
    final: async () => {
      if (process.env.HOLD_AT === "end") await holding();
      return null;
    },
  }),
  openImages: async ({ experiment, fromStep }) => {
    if (process.env.HOLD_AT === "start") await holding();
    const images = fakeImages(experiment, fromStep);
    const heldAt = (heldStep - 1) * experiment.optimizer.accumulation;
    const next = async (): Promise<Uint8Array> => {
      if (hold !== undefined && process.env.HOLD_AT === undefined && images.taken === heldAt) await holding();
      return images.next();
    };
    return { ...images, next };
  },
});
process.exitCode = await run(program, parsed.flags, environment).catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  return 1;
});
