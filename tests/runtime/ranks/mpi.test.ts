/** MPI as the system has it; see also tests/integration/mpi.test.ts. */
import { beforeAll, describe, expect, it } from "vitest";
import { launchOf } from "../../../runtime/ranks/launch";
import { findMpi } from "../../../runtime/ranks/mpi/library";
import { openMpiCommunicator } from "../../../runtime/ranks/mpi/mpi";
import { collectivesResult } from "../../support/mpi/collectives";
import { bundleRank, installedMpis, startRanks } from "../../support/mpi/mpi";
import { onRanks } from "../../support/ranks";

const mpis = installedMpis();
let program = "";
beforeAll(async () => {
  program = await bundleRank();
});

describe.skipIf(mpis.length === 0).each(mpis)("ranks of $kind", { timeout: 120_000 }, (mpi) => {
  it.each([2, 3])("%i of them compute what ranks in memory do, bit for bit", async (size) => {
    const run = startRanks(mpi, { ranks: size, command: [program, "collectives"] });
    expect(await run.exitCode, run.output()).toBe(0);
    const wanted = await onRanks(size, collectivesResult);
    for (const want of wanted) {
      expect(JSON.parse(run.file(`result-${want.rank}.json`) ?? "{}"), run.output()).toEqual(want);
    }
  });

  it("leave the event loop free while they wait for one another", async () => {
    const run = startRanks(mpi, { ranks: 2, command: [program, "free"] });
    expect(await run.exitCode, run.output()).toBe(0);
    for (const rank of [0, 1]) expect(run.file(`result-${rank}.json`), run.output()).toBe('"met"');
  });

  it("says which rank has another experiment, to all of them", async () => {
    const run = startRanks(mpi, { ranks: 2, command: [program, "disagree", "1"] });
    expect(await run.exitCode, run.output()).toBe(0);
    for (const rank of [0, 1]) {
      expect(run.file(`result-${rank}.json`), run.output()).toMatch(
        /the experiment: rank 0 on \S+ has cafecafe, rank 1 on \S+ has beefbeef/,
      );
    }
  });
});

describe.skipIf(mpis.length < 2)("an MPI of another kind", () => {
  it.each([
    ["Open MPI", "libmpich.so.12"],
    ["MPICH", "libmpi.so.40"],
  ] as const)("is refused under %s's launcher", (launcher, library) => {
    const other = launcher === "MPICH" ? "Open MPI" : "MPICH";
    expect(() => findMpi(launcher, { IJEPA_MPI_LIBRARY: library })).toThrowError(
      expect.objectContaining({ code: "R195", message: expect.stringContaining(`${library}) is ${other}`) }),
    );
  });
});

describe("without MPI", () => {
  it("says what to install, and what it found", () => {
    expect(() => findMpi("Open MPI", { IJEPA_MPI_LIBRARY: "/nowhere/libmpi.so" })).toThrowError(
      expect.objectContaining({
        code: "R194",
        message: expect.stringMatching(/\/nowhere\/libmpi.so: .*apt install openmpi-bin/s),
      }),
    );
  });

  it.each([
    ["torchrun", { RANK: "0", WORLD_SIZE: "2", LOCAL_RANK: "0", LOCAL_WORLD_SIZE: "2", GROUP_RANK: "0" }, "mpirun"],
    ["Slurm", { SLURM_STEP_ID: "0", SLURM_STEP_NUM_TASKS: "2", SLURM_PROCID: "0" }, "srun --mpi=pmi2 for MPICH"],
    ["Kubernetes", { JOB_COMPLETION_INDEX: "1", IJEPA_RANKS: "2" }, "an MPIJob \\(kubeflow.org/v2beta1"],
  ])("refuses ranks that %s started without it", async (name, variables, says) => {
    await expect(openMpiCommunicator(launchOf(variables), variables)).rejects.toMatchObject({
      code: "R197",
      message: expect.stringMatching(new RegExp(`^${name} started 2 ranks without.*${says}`)),
    });
  });
});
