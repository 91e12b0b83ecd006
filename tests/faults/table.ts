/**
 * The faults of docs/faults.md: how each is injected, by which test, and what comes of it. tests/faults/table.test.ts holds
 * every row to a test that is there; docs/faults.json has how often `npm run test:faults` injected it, where that was counted.
 */
export interface Fault {
  /** Key of docs/faults.json. */
  readonly id: string;
  readonly fault: string;
  readonly injected: string;
  readonly outcome: string;
  /** `npm test` leaves it out: it takes minutes, or what only some machines have. */
  readonly onlyFull?: true;
  /** The file, and a part of the name of the test in it. */
  readonly test: readonly [file: string, name: string];
}

const process = "tests/faults/process.test.ts";
const storage = "tests/faults/storage.test.ts";
const limits = "tests/faults/limits.test.ts";

export const faults = [
  {
    id: "sigkill",
    fault: "The trainer is killed",
    injected:
      "SIGKILL at a random moment of a training of seconds, from its start to its end, again and again until it is done; four of them side by side",
    outcome:
      "the run goes on with `--resume=auto` and ends with the same bytes in its checkpoint as one that nobody killed",
    test: [process, "is killed at random moments"],
  },
  {
    id: "stopped",
    fault: "It is told to stop: Ctrl-C, a scheduler's SIGTERM, SIGHUP of a terminal",
    injected: "each signal in the middle of a step, in the start, and in the final evaluation",
    outcome: "the step is ended and saved; exit code 130, 143 or 129; it goes on exactly",
    test: ["tests/runtime/loop/signals.test.ts", "ends its step, saves it, says how to go on, and goes on exactly"],
  },
  {
    id: "terminal",
    fault: "Its terminal is closed, or nobody reads its pipe",
    injected: "a pseudo-terminal closed under it; a pipe whose reader is gone; output to /dev/full",
    outcome: "training goes on, quietly; with the SIGHUP that a closed terminal sends it saves and stops",
    test: ["tests/runtime/report/terminal.test.ts", "a file on a full disk"],
  },
  {
    id: "full-disk",
    fault: "The disk is full",
    injected: "the run folder on a file system of a few MB, which a checkpoint or a log fills",
    outcome:
      "exit code 1 and R142 or R115 with the file or its folder; the checkpoint before is whole, and with room again the run goes on to the same bytes",
    test: [storage, "on a disk that fills up"],
  },
  {
    id: "read-only",
    onlyFull: true,
    fault: "The run folder becomes read-only",
    injected: "the file system mounted anew, read-only, in the middle of the training",
    outcome: "exit code 1 and a sentence; mounted to be written again, the run goes on to the same bytes",
    test: [storage, "on a disk that becomes read-only"],
  },
  {
    id: "folder-deleted",
    fault: "The run folder is deleted",
    injected: "`rm -r` of it in the middle of the training",
    outcome: "exit code 1 and a sentence that names the folder; nothing is written elsewhere",
    test: [storage, "whose folder is deleted"],
  },
  {
    id: "data-away",
    fault: "The images are away for a while, as on a network file system that hiccups",
    injected: "the folder renamed, and back after a second",
    outcome: "reads are tried again; not a bit of the training changes",
    test: ["tests/runtime/data/training.test.ts", "changes nothing: what is away comes back and is read"],
  },
  {
    id: "data-gone",
    fault: "The images are gone for good",
    injected: "the folder deleted in the middle of the training",
    outcome: "after the patience of reading, R139 and a checkpoint of the last step",
    test: ["tests/runtime/data/training.test.ts", "is taken for missing files when they do not come back"],
  },
  {
    id: "bad-images",
    fault: "Images are damaged, empty, too large, of another format, not to be read",
    injected: "one file of each among good ones",
    outcome:
      "counted by reason, named once, others drawn in their place; the same bytes with any number of workers and after a resume",
    test: ["tests/runtime/data/training.test.ts", "are named once with the reason"],
  },
  {
    id: "two-trainers",
    fault: "Two trainers are started in one folder",
    injected: "eight at the same moment",
    outcome: "one trains; each of the others ends with R110, and nothing of the run is touched",
    test: [process, "are started in one folder"],
  },
  {
    id: "stale-lock",
    fault: "A lock of a dead trainer is left, or is empty or torn",
    injected: "locks of processes that are gone, of other hosts, of Slurm jobs begun anew, of no owner",
    outcome: "taken over where the other is provably dead or has been silent for ten minutes; else R110",
    test: ["tests/runtime/loop/lock.test.ts", "the lock of a run folder"],
  },
  {
    id: "checkpoint-damaged",
    fault: "Checkpoints rot: flipped bits, a zeroed half, cut off, another step in their metadata",
    injected: "each in every part of a file",
    outcome: "found by checksums; `--resume` goes back to the newest whole one and says so; `ijepa verify` finds it",
    test: ["tests/runtime/checkpoint/checksums.test.ts", "a checkpoint that was changed after it was written"],
  },
  {
    id: "clock",
    fault: "The clock jumps",
    injected: "the time of day a year back and a day ahead at every third reading of it",
    outcome: "the same bytes: nothing of a training follows from the time",
    test: [process, "whose clock jumps"],
  },
  {
    id: "memory",
    onlyFull: true,
    fault: "Memory runs out",
    injected: "a limit on the process's memory that its start, its engine or its steps exceed",
    outcome:
      "it ends with another code than 0, or goes on where the limit is wide enough; with memory again it goes on to the same bytes",
    test: [limits, "with too little memory"],
  },
  {
    id: "descriptors",
    onlyFull: true,
    fault: "File descriptors run out",
    injected: "a limit of 20 to 48 open files",
    outcome: "it trains to the same bytes, or ends with another code than 0, and goes on to them without the limit",
    test: [limits, "with too few file descriptors"],
  },
  {
    id: "not-finite",
    fault: "A loss or a gradient is not finite",
    injected: "NaN and infinity in a step, on every engine",
    outcome:
      "R120 with the step, the images of its batch and the last good checkpoint; or the step is skipped and counted, as the spec says",
    test: ["tests/runtime/loop/failing.test.ts", "names the images of the batch, in the message and in the log"],
  },
  {
    id: "rank",
    fault: "A rank of several is killed, or stands still",
    injected: "SIGKILL and SIGSTOP of a rank under each MPI, by `npm run test:mpi`",
    outcome: "all end within a minute with a sentence that names rank and host; the run goes on to the same bytes",
    test: ["tests/integration/ranks-training.test.ts", "that stands still ends within a minute"],
  },
  {
    id: "node",
    fault: "A node of a Slurm cluster is lost",
    injected: "its daemon and processes killed (`npm run test:slurm`)",
    outcome: "the point is finished on another node from its checkpoint",
    test: [
      "tests/integration/slurm.test.ts",
      "loses a node, and the point that ran there is finished on another from its checkpoint",
    ],
  },
] as const satisfies readonly Fault[];

export type FaultId = (typeof faults)[number]["id"];
