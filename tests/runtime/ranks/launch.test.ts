import { describe, expect, it } from "vitest";
import { type Launch, launchOf } from "../../../runtime/ranks/launch";

/** As these launchers gave them, less what says nothing of ranks. "Seen" ones were printed by `env`; the others are documented. */
const slurmJob = { SLURM_JOB_ID: "4", SLURM_NTASKS: "2", SLURM_NPROCS: "2" };
const batchScript = { ...slurmJob, SLURM_PROCID: "0", SLURM_LOCALID: "0", SLURM_NODEID: "0", SLURM_GTIDS: "0" };
const slurmStep = {
  ...batchScript,
  SLURM_STEP_ID: "0",
  SLURM_STEPID: "0",
  SLURM_STEP_NODELIST: "node[1-2]",
  SLURM_STEP_NUM_NODES: "2",
  SLURM_STEP_NUM_TASKS: "2",
  SLURM_STEP_TASKS_PER_NODE: "1(x2)",
  SLURM_PROCID: "1",
  SLURM_NODEID: "1",
  SLURM_GTIDS: "1",
  SLURMD_NODENAME: "node2",
};
const openMpi4 = {
  OMPI_COMM_WORLD_LOCAL_RANK: "1",
  OMPI_COMM_WORLD_LOCAL_SIZE: "2",
  OMPI_COMM_WORLD_NODE_RANK: "1",
  OMPI_COMM_WORLD_RANK: "1",
  OMPI_COMM_WORLD_SIZE: "2",
  OMPI_UNIVERSE_SIZE: "2",
  PMIX_HOSTNAME: "node1",
  PMIX_NAMESPACE: "2104688641",
  PMIX_RANK: "1",
};
const mpich4 = {
  MPIR_CVAR_CH3_INTERFACE_HOSTNAME: "node1",
  MPI_LOCALNRANKS: "2",
  MPI_LOCALRANKID: "0",
  PMI_FD: "6",
  PMI_RANK: "0",
  PMI_SIZE: "2",
};
const torchrun = {
  GROUP_RANK: "1",
  GROUP_WORLD_SIZE: "2",
  LOCAL_RANK: "3",
  LOCAL_WORLD_SIZE: "8",
  MASTER_ADDR: "node1",
  MASTER_PORT: "29500",
  OMP_NUM_THREADS: "1",
  RANK: "11",
  ROLE_RANK: "11",
  TORCHELASTIC_RESTART_COUNT: "0",
  TORCHELASTIC_RUN_ID: "none",
  WORLD_SIZE: "16",
};
const trainerV2 = {
  HOSTNAME: "run-node-0-2",
  JOB_COMPLETION_INDEX: "2",
  PET_MASTER_ADDR: "run-node-0-0.run",
  PET_MASTER_PORT: "29500",
  PET_NNODES: "4",
  PET_NODE_RANK: "2",
  PET_NPROC_PER_NODE: "1",
};
const pyTorchJobV1 = { MASTER_ADDR: "job-master-0", MASTER_PORT: "23456", RANK: "1", WORLD_SIZE: "3" };
const address = { host: "node1", port: 29500 };

const launches: readonly [what: string, environment: Record<string, string>, want: Partial<Launch>][] = [
  [
    "nothing",
    { PATH: "/usr/bin", OMP_NUM_THREADS: "1" },
    { launcher: null, rank: 0, size: 1, localRank: 0, note: null },
  ],
  [
    "srun, two hosts (seen)",
    slurmStep,
    { launcher: "Slurm", rank: 1, size: 2, localRank: 0, localSize: 1, node: 1, host: "node2", wireUp: null },
  ],
  [
    "srun, uneven hosts",
    {
      ...slurmStep,
      SLURM_STEP_NUM_TASKS: "7",
      SLURM_STEP_TASKS_PER_NODE: "3(x2),1",
      SLURM_PROCID: "6",
      SLURM_NODEID: "2",
    },
    { rank: 6, size: 7, localSize: 1, node: 2 },
  ],
  [
    "srun --mpi=pmi2 (seen)",
    { ...slurmStep, PMI_FD: "11", PMI_RANK: "1", PMI_SIZE: "2" },
    { launcher: "Slurm", wireUp: "pmi" },
  ],
  ["srun --mpi=pmix (seen)", { ...slurmStep, PMIX_RANK: "1" }, { launcher: "Slurm", rank: 1, wireUp: "pmix" }],
  [
    "a batch script of two tasks (seen)",
    batchScript,
    { launcher: null, size: 1, note: expect.stringContaining("Start it with srun to have 2 ranks") },
  ],
  ["salloc of two tasks (seen)", slurmJob, { launcher: null, size: 1, note: expect.stringContaining("SLURM_NTASKS") }],
  ["a batch script of one task", { ...batchScript, SLURM_NTASKS: "1" }, { launcher: null, size: 1, note: null }],
  [
    "an array task",
    { ...batchScript, SLURM_NTASKS: "1", SLURM_ARRAY_TASK_ID: "3", SLURM_ARRAY_JOB_ID: "1" },
    { launcher: null, size: 1 },
  ],
  [
    "mpirun of Open MPI 4 (seen)",
    openMpi4,
    { launcher: "Open MPI", rank: 1, size: 2, localRank: 1, localSize: 2, host: "node1", node: null, wireUp: "pmix" },
  ],
  [
    "mpirun of Open MPI 4 in a batch script, on the second host: its daemon is a step of one task (seen)",
    { ...slurmStep, SLURM_STEP_NUM_TASKS: "1", SLURM_PROCID: "0", ...openMpi4, OMPI_COMM_WORLD_LOCAL_RANK: "0" },
    { launcher: "Open MPI", rank: 1, size: 2 },
  ],
  [
    "mpirun of MPICH 4 (seen)",
    mpich4,
    { launcher: "MPICH", rank: 0, size: 2, localRank: 0, localSize: 2, host: "node1", wireUp: "pmi" },
  ],
  [
    "mpirun of MPICH in a Slurm step",
    { ...slurmStep, ...mpich4, PMI_SIZE: "4", PMI_RANK: "3" },
    { launcher: "MPICH", rank: 3, size: 4 },
  ],
  [
    "a Cray",
    { PMI_RANK: "5", PMI_SIZE: "8", PMI_LOCAL_RANK: "1", PMI_LOCAL_SIZE: "4" },
    { launcher: "MPICH", rank: 5, size: 8, localRank: 1, localSize: 4 },
  ],
  [
    "torchrun --no-python, 2 hosts of 8",
    torchrun,
    { launcher: "torchrun", rank: 11, size: 16, localRank: 3, localSize: 8, node: 1, address, wireUp: null },
  ],
  ["torchrun in a Slurm step", { ...slurmStep, ...torchrun }, { launcher: "torchrun", rank: 11, size: 16 }],
  [
    "Kubeflow Trainer v2, one rank in a pod",
    trainerV2,
    {
      launcher: "Kubeflow",
      rank: 2,
      size: 4,
      node: 2,
      localSize: 1,
      address: { host: "run-node-0-0.run", port: 29500 },
    },
  ],
  ["Kubeflow Trainer v2 through torchrun", { ...trainerV2, ...torchrun }, { launcher: "torchrun", rank: 11, size: 16 }],
  ["MPIJob v2: mpirun over ssh", { ...openMpi4, HOSTNAME: "pi-worker-0" }, { launcher: "Open MPI", rank: 1, size: 2 }],
  ["PyTorchJob v1, one rank in a pod", pyTorchJobV1, { launcher: "environment", rank: 1, size: 3, node: null }],
  [
    "accelerate",
    { ...pyTorchJobV1, LOCAL_RANK: "1", NODE_RANK: "0" },
    { launcher: "environment", localRank: 1, node: 0 },
  ],
  [
    "an Indexed Job that says how many",
    { HOSTNAME: "run-3-x7k2p", JOB_COMPLETION_INDEX: "3", IJEPA_RANKS: "8" },
    { launcher: "Kubernetes", rank: 3, size: 8, node: 3, host: "run-3-x7k2p" },
  ],
  ["a point of a sweep in an Indexed Job", { JOB_COMPLETION_INDEX: "3" }, { launcher: null, size: 1 }],
  ["empty variables", { RANK: "", WORLD_SIZE: " ", PMI_RANK: "" }, { launcher: null }],
];

const refusals: readonly [what: string, environment: Record<string, string>, code: string, says: readonly string[]][] =
  [
    [
      "a size that is no number",
      { ...openMpi4, OMPI_COMM_WORLD_SIZE: "two" },
      "R190",
      ["OMPI_COMM_WORLD_SIZE", '"two"', "1 or more"],
    ],
    ["a negative rank", { ...mpich4, PMI_RANK: "-1" }, "R190", ["PMI_RANK", '"-1"', "0 or more"]],
    ["no ranks at all", { ...torchrun, WORLD_SIZE: "0" }, "R190", ["WORLD_SIZE", '"0"']],
    ["a number too large", { ...torchrun, WORLD_SIZE: "99999999999999999999" }, "R190", ["WORLD_SIZE"]],
    [
      "a rank beyond the size",
      { ...slurmStep, SLURM_PROCID: "2" },
      "R190",
      ["SLURM_PROCID", "less than SLURM_STEP_NUM_TASKS, which is 2"],
    ],
    [
      "a local rank beyond the host's",
      { ...openMpi4, OMPI_COMM_WORLD_LOCAL_RANK: "2" },
      "R190",
      ["OMPI_COMM_WORLD_LOCAL_RANK", "which is 2"],
    ],
    [
      "tasks per node of another form",
      { ...slurmStep, SLURM_STEP_TASKS_PER_NODE: "1 each" },
      "R190",
      ["SLURM_STEP_TASKS_PER_NODE", "2(x3),1"],
    ],
    ["a port that is none", { ...torchrun, MASTER_PORT: "auto" }, "R190", ["MASTER_PORT", '"auto"']],
    ["a rank without a size", { RANK: "0" }, "R191", ["WORLD_SIZE is missing", "unset RANK"]],
    ["a size without a rank", { WORLD_SIZE: "2" }, "R191", ["RANK is missing", "unset WORLD_SIZE"]],
    ["mpirun -pmi-port", { MPI_LOCALNRANKS: "2", MPI_LOCALRANKID: "0", PMI_ID: "0" }, "R191", ["PMI_SIZE is missing"]],
    ["an Indexed Job without index", { IJEPA_RANKS: "2" }, "R191", ["JOB_COMPLETION_INDEX is missing"]],
    [
      "a step of other size than PMI says",
      { ...slurmStep, PMI_RANK: "1", PMI_SIZE: "3" },
      "R192",
      ["SLURM_STEP_NUM_TASKS=2 and PMI_SIZE=3"],
    ],
    [
      "more ranks on a host than in all",
      { ...torchrun, WORLD_SIZE: "4", RANK: "3" },
      "R192",
      ["LOCAL_WORLD_SIZE=8 and WORLD_SIZE=4"],
    ],
    [
      "pods of 8 ranks, none started",
      { ...trainerV2, PET_NPROC_PER_NODE: "8" },
      "R193",
      ['PET_NPROC_PER_NODE is "8"', "torchrun --no-python"],
    ],
    ["pods of as many as there are GPUs", { ...trainerV2, PET_NPROC_PER_NODE: "gpu" }, "R193", ['"gpu"']],
    ["a PyTorchJob v1 of pods with 4 ranks", { ...pyTorchJobV1, NPROC_PER_NODE: "4" }, "R193", ["NPROC_PER_NODE"]],
    ["a number of hosts that may change", { ...trainerV2, PET_NNODES: "2:4" }, "R190", ["PET_NNODES", '"2:4"']],
  ];

describe("launchOf", () => {
  it.each(launches)("%s", (_, environment, want) => {
    expect(launchOf(environment)).toMatchObject(want);
  });

  it.each(refusals)("refuses %s", (_, environment, code, says) => {
    let message = "";
    try {
      launchOf(environment);
    } catch (error) {
      expect(error).toMatchObject({ name: "UserError", code });
      message = error instanceof Error ? error.message : "";
    }
    for (const part of says) expect(message).toContain(part);
    expect(message).not.toBe("");
  });

  it("reads nothing but the environment it is given", () => {
    const frozen = Object.freeze({ ...openMpi4 });
    expect(launchOf(frozen)).toEqual(launchOf({ ...openMpi4 }));
  });
});
