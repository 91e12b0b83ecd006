import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { endsOf, forgetEnds, tellingItsEnd } from "../../../runtime/ranks/spawn/ends";
import { findMpirun, mpirunArguments, withoutSlurm } from "../../../runtime/ranks/spawn/mpirun";
import { postMortem } from "../../../runtime/ranks/spawn/post-mortem";
import { streamsOfRank } from "../../../runtime/ranks/streams";
import { type Beat, openBeatFolder } from "../../../runtime/ranks/watch/beat";

const folder = (): string => mkdtempSync(join(tmpdir(), "ijepa-spawn-"));

/** A program of this name that answers to --version. */
function program(name: string, says: string): string {
  const path = join(folder(), name);
  writeFileSync(path, `#!/bin/sh\necho '${says}'\n`);
  chmodSync(path, 0o755);
  return path;
}

describe("findMpirun", () => {
  it.each([
    ["mpirun (Open MPI) 4.1.4", "Open MPI"],
    ["mpirun.openmpi (OpenRTE) 4.1.4", "Open MPI"],
    ["mpirun (Open MPI) 5.0.5", "Open MPI"],
    ["HYDRA build details:\n    Version: 4.0.2", "MPICH"],
    ["Intel(R) MPI Library for Linux* OS, Version 2021.13", "MPICH"],
  ])("takes %s for %s", (says, kind) => {
    expect(findMpirun({ IJEPA_MPIRUN: program("mpirun", says) }).kind).toBe(kind);
  });

  it("takes the first of the PATH", () => {
    const path = program("mpirun", "mpirun (Open MPI) 5.0.5");
    expect(findMpirun({ PATH: `/nowhere::${join(path, "..")}:/usr/bin` }).path).toBe(path);
  });

  it.each([
    ["none", { PATH: "/nowhere" }, "R206"],
    ["one that is named and not there", { IJEPA_MPIRUN: "/nowhere/mpirun", PATH: "/usr/bin" }, "R206"],
    ["one of another MPI", { IJEPA_MPIRUN: program("mpirun", "my own mpirun") }, "R207"],
    ["a program that fails", { IJEPA_MPIRUN: "/bin/false" }, "R207"],
  ])("says so where there is %s", (_, variables, code) => {
    expect(() => findMpirun(variables)).toThrowError(expect.objectContaining({ code }));
  });
});

describe("mpirunArguments", () => {
  const command = ["node", "train.js", "--run-dir", "runs/$(touch hit) x"];
  it.each([
    ["Open MPI", 2, 8, false, "-n 2 --bind-to none"],
    ["Open MPI", 8, 2, false, "-n 8 --bind-to none --oversubscribe"],
    ["Open MPI", 2, 2, true, "-n 2 --bind-to none --allow-run-as-root"],
    ["MPICH", 8, 2, true, "-n 8 -launcher fork"],
  ] as const)("%s, %i ranks on %i cores, root %s: %s", (kind, ranks, cores, isRoot, want) => {
    expect(mpirunArguments(kind, { ranks, cores, isRoot, command })).toEqual([...want.split(" "), ...command]);
  });
});

describe("withoutSlurm", () => {
  it("keeps mpirun on this host, and gives the ranks what they read", () => {
    const variables = {
      PATH: "/bin",
      SLURM_JOB_ID: "7",
      SLURM_NTASKS: "4",
      SLURM_RESTART_COUNT: "1",
      SLURMD_NODENAME: "n1",
    };
    expect(withoutSlurm(variables, ["node", "x"])).toEqual({
      variables: { PATH: "/bin" },
      command: ["env", "SLURM_JOB_ID=7", "SLURM_RESTART_COUNT=1", "node", "x"],
    });
    expect(withoutSlurm({ PATH: "/bin" }, ["node", "x"])).toEqual({
      variables: { PATH: "/bin" },
      command: ["node", "x"],
    });
  });
});

/** A sign of life. */
const lives = (ranks: string, rank: number, change: Partial<Beat> = {}): void =>
  openBeatFolder(ranks, rank).write({
    rank,
    host: "node1",
    pid: 100 + rank,
    machine: "m",
    count: 1,
    state: "running",
    reason: "",
    culprit: null,
    exitCode: 0,
    doing: "step 3",
    limitMs: 1000,
    entered: 1,
    ...change,
  });

describe("postMortem", () => {
  const ranks = join(folder(), "ranks");
  for (const rank of [0, 1]) lives(ranks, rank);
  const ended = "=   PID 101 RUNNING AT vm\n=   EXIT CODE: 9\n";

  it.each([
    ["MPICH names a process", ended, "It names rank 1 on node1 (process 101), which was at step 3"],
    [
      "one that another could not read the memory of",
      "[vm:100:0:9] cma_ep.c:81 process_vm_readv(pid=101 {0x18,1}-->{0x42,1}) returned -1: No such process",
      "rank 1",
    ],
    ["a process that is no rank", "=   PID 7 RUNNING AT vm", null],
    ["a rank has said it", `${ended}R201: The run ends because rank 0 on …`, null],
    ["nothing is known", "", null],
  ])("%s", (_, said, want) => {
    const error = postMortem({ folder: ranks, ranks: 2, said });
    if (want === null) expect(error).toBeNull();
    else expect(error?.message).toContain(want);
  });
});

describe("postMortem of ranks whose ends are known", () => {
  const failedWith = (exitCode: number) => ({ state: "failed", reason: "R133: 12 images.", exitCode }) as const;
  const gone = (rank: number): string => `because rank ${rank} on node1 (process ${100 + rank}) is gone`;
  it.each<[what: string, beats: readonly Partial<Beat>[], ends: readonly [rank: number, code: string][], want: string]>(
    [
      ["one was killed", [{}, {}, {}], [[1, "137"]], gone(1)],
      [
        "one was killed, the others crashed before its shell had said so",
        [{}, {}, {}],
        [
          [0, "139"],
          [2, "134"],
          [1, "137"],
        ],
        gone(1),
      ],
      [
        "one crashed, and then the others",
        [{}, {}, {}],
        [
          [2, "139"],
          [0, "139"],
          [1, "139"],
        ],
        gone(2),
      ],
      [
        "one was killed before another",
        [{}, {}, {}],
        [
          [2, "137"],
          [1, "137"],
        ],
        gone(2),
      ],
      [
        "one failed by itself, and mpirun killed the others",
        [{}, failedWith(1), {}],
        [
          [0, "137"],
          [1, "1"],
        ],
        "R133: 12 images",
      ],
      ["one was killed, and another says that its exchange failed", [failedWith(75), {}, {}], [[2, "137"]], gone(2)],
      [
        "one was killed while the others began, which stopped at mpirun's signal",
        [{}, failedWith(75), failedWith(75)],
        [
          [0, "137"],
          [1, "143"],
          [2, "143"],
        ],
        gone(0),
      ],
      ["nothing is known but an exchange that failed", [failedWith(75), {}, {}], [], "R133: 12 images"],
      [
        "a file is half written",
        [{}, {}, {}],
        [
          [0, ""],
          [1, "137"],
        ],
        gone(1),
      ],
    ],
  )("%s", (_, beats, ends, want) => {
    const ranks = join(folder(), "ranks");
    for (const [rank, change] of beats.entries()) lives(ranks, rank, change);
    for (const [i, [rank, code]] of ends.entries()) {
      writeFileSync(join(ranks, `${rank}.end`), `${code}\n`);
      utimesSync(join(ranks, `${rank}.end`), 1000 + i, 1000 + i);
    }
    expect(postMortem({ folder: ranks, ranks: 3, said: "" })?.message).toContain(want);
  });
});

describe("tellingItsEnd", () => {
  it.each([
    ["ends well", "process.exitCode = 0", 0],
    ["fails", "process.exit(7)", 7],
    ["is killed", "process.kill(process.pid, 'SIGKILL')", 137],
    [
      "gets a signal, as its shell does",
      "process.on('SIGTERM', () => process.exit(143)); process.kill(0, 'SIGTERM'); setTimeout(() => {}, 9000)",
      143,
    ],
  ])("keeps how a rank ended that %s, and its words", (_, code, want) => {
    const ends = folder();
    const words = ["$(touch hit)", "a b", '"'];
    const program = `require("node:fs").writeFileSync(${JSON.stringify(join(ends, "words"))}, JSON.stringify(process.argv.slice(1))); ${code}`;
    const [shell = "", ...args] = tellingItsEnd([process.execPath, "-e", program, "--", ...words], ends);
    // A process group of its own, so that a signal to the group reaches nobody else.
    const { status } = spawnSync("setsid", ["--wait", shell, ...args], { env: { ...process.env, PMI_RANK: "2" } });
    expect(status).toBe(want);
    expect(endsOf(ends, 3)).toEqual([{ rank: 2, exitCode: want }]);
    expect(JSON.parse(readFileSync(join(ends, "words"), "utf8"))).toEqual(words);
    forgetEnds(ends, 3);
    expect(endsOf(ends, 3)).toEqual([]);
  });
});

describe("streamsOfRank", () => {
  it("gives rank 0 the terminal, and puts the rank before the errors of others, in whole lines", () => {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const first = streamsOfRank(0, { stdout, stderr });
    const third = streamsOfRank(2, { stdout, stderr });
    first.stdout.write("step 1\n");
    third.stdout.write("step 1\n");
    third.stderr.write("half a ");
    third.stderr.write("line\nand another\nrest");
    third.stderr.end();
    expect(String(stdout.read())).toBe("step 1\n");
    expect(String(stderr.read())).toBe("[rank 2] half a line\n[rank 2] and another\n[rank 2] rest\n");
  });
});
