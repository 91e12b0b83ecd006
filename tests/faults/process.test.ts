/** What happens to the process of a trainer. `npm run test:faults` kills it 200 times, `npm test` a few. */
import { mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { readSafetensors } from "../../runtime/checkpoint/safetensors";
import { randomAt } from "../../runtime/random/random";
import { testSeed } from "../support/seed";
import {
  checkpointOf,
  countFault,
  endOf,
  type FaultyTrainer,
  faultyTrainer,
  hashOf,
  isFull,
  newFolder,
  quick,
  start,
  timeout,
} from "./trainer";

const kills = Number(process.env.IJEPA_KILLS ?? (isFull ? "200" : "3"));
/** Runs that are killed side by side: a trainer waits for its disk and its start more than it computes. */
const lanes = Math.max(1, Math.min(4, Math.floor(kills / 10)));

type Moment = "starting" | "training" | "saving" | "evaluating";

/** What it was at when it was killed, by what it left and what it had said; a trainer that starts removes what others left. */
function momentOf(folder: string, text: string): Moment {
  if (!/^step /m.test(text)) return "starting";
  if (readdirSync(folder).some((name) => /\.safetensors\..*\.tmp$/.test(name))) return "saving";
  return text.includes("Evaluating") ? "evaluating" : "training";
}

describe("a trainer", () => {
  let trainer: FaultyTrainer = { script: "", whole: "" };
  beforeAll(async () => {
    trainer = await faultyTrainer(quick);
  }, 600_000);

  it("is killed at random moments and goes on to the same bytes", { timeout: timeout + 30_000 * kills }, async () => {
    const random = randomAt({ seed: Math.abs(testSeed), purpose: "kills" });
    // As long as one takes beside as many others as are killed together.
    const beganMs = performance.now();
    const undisturbed = Array.from({ length: lanes }, () => newFolder());
    await Promise.all(undisturbed.map((folder) => endOf(start({ script: trainer.script, folder }))));
    const wholeMs = performance.now() - beganMs;
    expect(undisturbed.map(hashOf)).toEqual(undisturbed.map(() => trainer.whole));

    let killed = 0;
    let runs = 0;
    const moments: Record<Moment, number> = { starting: 0, training: 0, saving: 0, evaluating: 0 };
    /** One run, killed and started again until it is done; then the next, while there are kills to come. */
    const lane = async (): Promise<void> => {
      while (killed < kills) {
        const folder = newFolder();
        for (;;) {
          const started = start({ script: trainer.script, folder });
          const end = endOf(started);
          if (killed < kills) {
            const first = await Promise.race([end, wait(random.uniform() * wholeMs, "kill" as const, { ref: false })]);
            if (first === "kill") started.process.kill("SIGKILL");
          }
          const { code, text } = await end;
          if (code === 0) break;
          // Whatever is there is whole, and nothing but the kill ends it.
          expect(code, `seed ${testSeed}, after ${killed} kills:\n${text}`).toBe(137);
          // One that was done before the signal came was not killed.
          killed++;
          moments[momentOf(folder, text)]++;
          await readSafetensors(checkpointOf(folder)).catch((error: { readonly code?: string }) => {
            expect(error.code).toBe("R141"); // before the first one
          });
        }
        expect(hashOf(folder), `seed ${testSeed}, after ${killed} kills`).toBe(trainer.whole);
        runs++;
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    countFault("sigkill", killed, {
      "before a step of its own": moments.starting,
      "in training": moments.training,
      "in the middle of writing a checkpoint": moments.saving,
      "in the final evaluation": moments.evaluating,
      "runs that ended in the same bytes": runs,
    });
  });

  it("is one where several are started in one folder", { timeout }, async () => {
    const folder = newFolder();
    const count = isFull ? 8 : 3;
    const ended = await Promise.all(
      Array.from({ length: count }, () => endOf(start({ script: trainer.script, folder }))),
    );
    const refused = ended.filter(({ code }) => code !== 0);
    // One that begins after the first is done finds a run that is done, which is well too.
    expect(refused.length).toBeLessThan(count);
    for (const { code, text } of refused) {
      expect(code).toBe(1);
      expect(text).toMatch(/^R110: .* is in use by another trainer/m);
    }
    expect(hashOf(folder)).toBe(trainer.whole);
    countFault("two-trainers", count, { refused: refused.length });
  });

  it("whose clock jumps trains the same", { timeout }, async () => {
    const clock = join(mkdtempSync(join(tmpdir(), "ijepa-clock-")), "clock.cjs");
    writeFileSync(
      clock,
      `const now = Date.now; let n = 0;
       const jump = () => [0, -365 * 86400e3, 86400e3][n++ % 3];
       Date.now = () => now() + jump();
       const Real = Date;
       globalThis.Date = class extends Real {
         constructor(...given) { if (given.length === 0) super(Real.now()); else super(...given); }
       };`,
    );
    const folder = newFolder();
    const { code, text } = await endOf(start({ script: trainer.script, folder, nodeFlags: ["--require", clock] }));
    expect(code, text).toBe(0);
    expect(hashOf(folder)).toBe(trainer.whole);
    countFault("clock", 1);
  });
});
