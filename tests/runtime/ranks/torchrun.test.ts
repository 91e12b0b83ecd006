import { describe, expect, it } from "vitest";
import { launchOf } from "../../../runtime/ranks/launch";
import { isTorchrunOnOneHost, withoutTorchrun } from "../../../runtime/ranks/spawn/torchrun";

/** As torchrun 2.13 sets them (`torchrun --no-python --nproc-per-node=2 env`), for the process of a rank. */
const ofRank = (rank: number, changes: Readonly<Record<string, string>> = {}) => ({
  PATH: "/usr/bin",
  RANK: String(rank),
  LOCAL_RANK: String(rank),
  WORLD_SIZE: "2",
  LOCAL_WORLD_SIZE: "2",
  GROUP_RANK: "0",
  GROUP_WORLD_SIZE: "1",
  ROLE_NAME: "default",
  ROLE_RANK: String(rank),
  ROLE_WORLD_SIZE: "2",
  MASTER_ADDR: "localhost",
  MASTER_PORT: "29500",
  TORCHELASTIC_RUN_ID: "none",
  TORCHELASTIC_RESTART_COUNT: "0",
  TORCHELASTIC_MAX_RESTARTS: "0",
  TORCHELASTIC_USE_AGENT_STORE: "True",
  OMP_NUM_THREADS: "1",
  ...changes,
});

describe("torchrun", () => {
  it.each<[what: string, variables: Readonly<Record<string, string>>, wanted: boolean]>([
    ["its first process starts all ranks of one host", ofRank(0), true],
    ["and the other knows it", ofRank(1), true],
    ["not where there are other hosts", ofRank(0, { WORLD_SIZE: "4", GROUP_WORLD_SIZE: "2" }), false],
    ["nor with one process", ofRank(0, { WORLD_SIZE: "1", LOCAL_WORLD_SIZE: "1" }), false],
    ["nor where mpirun started them", { OMPI_COMM_WORLD_RANK: "0", OMPI_COMM_WORLD_SIZE: "2" }, false],
  ])("%s", (_, variables, wanted) => {
    expect(isTorchrunOnOneHost(launchOf(variables))).toBe(wanted);
  });

  it("is not seen by the ranks that mpirun starts", () => {
    const variables = withoutTorchrun(ofRank(0));
    expect(variables).toEqual({ PATH: "/usr/bin", OMP_NUM_THREADS: "1" });
    const ofMpirun = { ...variables, OMPI_COMM_WORLD_RANK: "1", OMPI_COMM_WORLD_SIZE: "2" };
    expect(launchOf(ofMpirun)).toMatchObject({ launcher: "Open MPI", rank: 1, size: 2 });
  });
});
