/**
 * Ranks that fail, under the real mpirun of Open MPI and of MPICH: `npm run test:mpi`. Needs Debian's openmpi-bin and
 * mpich; where one is missing it says so and leaves it out. IJEPA_KILLS says how many random kills each MPI gets.
 */
import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { build } from "esbuild";
import { beforeAll, describe, expect, it } from "vitest";
import { openBeatReader } from "../../runtime/ranks/watch/beat";
import {
  bundleRank,
  follow,
  type InstalledMpi,
  installedMpis,
  type RunningRanks,
  startRanks,
} from "../support/mpi/mpi";
import { testSeed } from "../support/seed";

const mpis = installedMpis();
const kills = Number(process.env.IJEPA_KILLS ?? "15");
let program = "";
let spawner = "";
beforeAll(async () => {
  program = await bundleRank();
  spawner = join(mkdtempSync(join(tmpdir(), "ijepa-spawn-")), "spawn.cjs");
  const entryPoints = [resolve("tests/support/mpi/spawn-child.ts")];
  await build({ entryPoints, bundle: true, platform: "node", format: "cjs", external: ["koffi"], outfile: spawner });
});

/** Three ranks in the loop of rank.ts, started as a trainer starts itself. */
function spawned(
  mpi: InstalledMpi,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): RunningRanks {
  const folder = mkdtempSync(join(tmpdir(), "ijepa-spawned-"));
  const command = [spawner, join(folder, "ranks"), program, "loop", folder, ...args];
  return follow(spawn(process.execPath, command, { env: { ...process.env, ...env, IJEPA_MPIRUN: mpi.path } }), folder);
}

/** The processes of the ranks, as soon as all have begun `steps` exchanges. */
async function processes(run: RunningRanks, ranks: number, steps: number): Promise<readonly number[]> {
  const read = openBeatReader(join(run.folder, "ranks"));
  const end = Date.now() + 60_000;
  for (;;) {
    const beats = Array.from({ length: ranks }, (_, rank) => read(rank));
    const pids = beats.flatMap((beat) => (beat !== null && beat.entered >= steps ? [beat.pid] : []));
    if (pids.length === ranks) return pids;
    if (Date.now() > end) throw new Error(`the ranks do not begin:\n${run.output()}`);
    await wait(50);
  }
}

/** The exit code; fails where the run does not end within a minute. */
async function endOf(run: RunningRanks): Promise<number | null> {
  const late = wait(60_000, "late" as const, { ref: false });
  const code = await Promise.race([run.exitCode, late]);
  if (code === "late") {
    run.process.kill("SIGKILL");
    throw new Error(`the run has not ended after a minute:\n${run.output()}`);
  }
  return code;
}

/** Repeats itself, so that a failure can be looked for again. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

describe.skipIf(mpis.length === 0).each(mpis)("a run on $kind", { timeout: 180_000 }, (mpi) => {
  it.each([
    [
      "hang",
      /R203: The run ends because rank 1 on \S+ \(process \d+\) hangs: the other ranks have waited \d+ s for it during step/,
    ],
    ["stand still", /R20[23]: The run ends because rank 1 on \S+ \(process \d+\) (hangs|has given no sign of life)/],
    ["fail", /R200: The run ends because rank 1 on \S+ \(process \d+\) failed: R133: images.train holds 12 images/],
    ["crash", /R200: The run ends because rank 1 on \S+ \(process \d+\) failed: its process ended with exit code 3/],
    ["die", /R201: The run ends because rank 1 on \S+ \(process \d+\) is gone/],
  ])("ends where a rank does this: %s", async (how, says) => {
    const run = spawned(mpi, ["1"], { MISBEHAVE: how });
    expect(await endOf(run), run.output()).not.toBe(0);
    expect(run.output()).toMatch(says);
    // MPICH's mpirun ends the others before they can say a word, where a process is gone.
    if (mpi.kind === "MPICH" && (how === "crash" || how === "die")) return;
    expect(run.file("fault-0"), run.output()).toMatch(says);
    expect(run.file("fault-2"), run.output()).toMatch(/because rank 1 on/);
    expect(run.output()).toContain("[rank 2] R200: The run ends because rank 1 on");
  });

  const next = random(testSeed);
  const plans = Array.from({ length: kills }, () => ({
    victim: Math.floor(next() * 3),
    afterMs: Math.floor(next() * 2000),
  }));
  it.each(plans)(
    `ends when rank $victim is killed after $afterMs ms (seed ${testSeed})`,
    async ({ victim, afterMs }) => {
      const run = spawned(mpi);
      const pid = (await processes(run, 3, 5))[victim] ?? 0;
      await wait(afterMs);
      process.kill(pid, "SIGKILL");
      expect(await endOf(run), run.output()).not.toBe(0);
      expect(run.output()).toContain(`R201: The run ends because rank ${victim} on`);
      // MPICH's mpirun ends the others at once; that of the trainer says what it was.
      if (mpi.kind === "MPICH") return;
      for (const other of [0, 1, 2].filter((rank) => rank !== victim)) {
        expect(run.file(`fault-${other}`), run.output()).toContain(`The run ends because rank ${victim} on`);
      }
    },
  );

  it("ends when a rank is killed under an mpirun that a person started", async () => {
    const run = startRanks(mpi, { ranks: 3, command: [program, "loop"] });
    const [, pid = 0] = await processes(run, 3, 5);
    process.kill(pid, "SIGKILL");
    expect(await endOf(run), run.output()).not.toBe(0);
    expect(run.output()).toMatch(mpi.kind === "MPICH" ? /PID \d+ RUNNING AT|rank 1 on/ : /rank 1 on/);
  });

  it.each([
    ["SIGTERM", 130],
    ["SIGINT", 130],
  ] as const)("spawned by a trainer passes on %s and ends with the code of its ranks", async (signal, code) => {
    const run = spawned(mpi);
    await processes(run, 3, 5);
    run.process.kill(signal);
    expect(await endOf(run), run.output()).toBe(code);
    const steps = [0, 1, 2].map((rank) => run.file(`result-${rank}.json`));
    expect(steps[0], run.output()).not.toBeNull();
    expect(new Set(steps).size, "all ended after the same step").toBe(1);
    expect(run.output().match(/joined/g)?.length, "rank 0 alone has the terminal").toBe(1);
  });
});
