/** A trainer under limits of the system: whatever it does with too little, it loses nothing. */
import { execFileSync } from "node:child_process";
import { beforeAll, describe, expect, it } from "vitest";
import {
  countFault,
  endOf,
  type FaultyTrainer,
  faultyTrainer,
  hashOf,
  isFull,
  newFolder,
  start,
  timeout,
} from "./trainer";

const hasPrlimit = ((): boolean => {
  try {
    execFileSync("prlimit", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

// Minutes: each limit is a training, and another one without it.
describe.skipIf(!hasPrlimit || !isFull)("a trainer", () => {
  let trainer: FaultyTrainer = { script: "", whole: "" };
  beforeAll(async () => {
    trainer = await faultyTrainer();
  }, 600_000);

  /** Under each limit, then without: the same bytes in the end. Gives what came of them. */
  async function underEach(limits: readonly (readonly string[])[]): Promise<Record<string, number>> {
    const came: Record<string, number> = {};
    for (const limit of limits) {
      const folder = newFolder();
      const { code, text } = await endOf(start({ script: trainer.script, folder, under: ["prlimit", ...limit] }));
      const what = code === 0 ? "trained" : (/(R\d{3}): /.exec(text)?.[1] ?? `ended by the system, ${code}`);
      came[what] = 1 + (came[what] ?? 0);
      const again = await endOf(start({ script: trainer.script, folder }));
      expect(again.code, `after ${limit.join(" ")}: ${text}\n${again.text}`).toBe(0);
      expect(hashOf(folder), limit.join(" ")).toBe(trainer.whole);
    }
    return came;
  }

  it("with too little memory", { timeout }, async () => {
    // Of its address space, data and of what JavaScript may take, in bytes and MB.
    const sizes = [4e8, 1e9, 2e9];
    const limits = sizes.flatMap((bytes) => [[`--data=${bytes}`], [`--as=${4 * bytes}`]]);
    const came = await underEach(limits);
    countFault("memory", limits.length, came);
  });

  it("with too few file descriptors", { timeout }, async () => {
    const counts = [20, 24, 32, 48];
    const came = await underEach(counts.map((count) => [`--nofile=${count}`]));
    countFault("descriptors", counts.length, came);
  });
});
