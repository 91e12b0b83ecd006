/**
 * What can break under a trainer, by a plugin that breaks when it is told to (support/xla/failing.c, compiled here): each is a
 * sentence with what to do, and the last checkpoint is whole.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FUNCTIONS, type FunctionName } from "../../../../runtime/engines/xla/pjrt/layout";
import { hasPlugin, plugin } from "../../../support/pjrt";
import { makeTrainers, type Trainers } from "../../../support/xla/trainers";

const folder = mkdtempSync(join(tmpdir(), "ijepa-failing-"));
const failing = join(folder, "failing.so");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function compiled(): boolean {
  try {
    const source = resolve("tests/support/xla/failing.c");
    execFileSync("cc", ["-shared", "-fPIC", "-O1", "-o", failing, source, "-ldl"], { stdio: "pipe" });
    return true;
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    console.warn("No C compiler (cc) here: what breaks under a trainer of engine xla is not tested.");
    return false;
  }
}

interface Failure {
  readonly what: string;
  /** Fails from this call on, counted from the start or from the first checkpoint, that of step 10. */
  readonly at: FunctionName;
  readonly call: number;
  /** What a plugin says then. */
  readonly text: string;
  readonly says: readonly RegExp[];
}

const cuda =
  "INTERNAL: CUDA error: Could not synchronize CUDA stream: CUDA_ERROR_ILLEGAL_ADDRESS: an illegal memory access";

const atTheStart: readonly Failure[] = [
  {
    what: "another process has the card's memory",
    at: "Client_Create",
    call: 1,
    text: "RESOURCE_EXHAUSTED: Failed to allocate request for 70.00GiB (75161927680B) on device ordinal 0",
    says: [/^R108: .*can not use the device "cpu": RESOURCE_EXHAUSTED/, /its memory are there and free \(nvidia-smi/],
  },
  {
    what: "the weights do not fit",
    at: "Client_BufferFromHostBuffer",
    call: 3,
    text: "RESOURCE_EXHAUSTED: Out of memory while trying to allocate 2147483648 bytes.",
    says: [
      /^R117: Memory ran out: .*for the weights and their moments, for want of 2\.15 GB in one piece/,
      /accumulation/,
    ],
  },
  {
    what: "the step does not fit",
    at: "Client_Compile",
    call: 1,
    text: "RESOURCE_EXHAUSTED: Out of memory while trying to allocate 90194313216 bytes.\nBuffer table:\n 1 …",
    says: [/^R117: .*could not compile step, for want of 90\.2 GB/, /`hardware\.precision` bf16/, /`hardware\.gpus`/],
  },
  {
    what: "the program is refused",
    at: "Client_Compile",
    call: 1,
    text: "UNIMPLEMENTED: unsupported operation chlo.erf",
    says: [/^R119: .*could not compile step: its compiler refuses the program \(UNIMPLEMENTED/, /--pjrt-plugin FILE/],
  },
];

const later: readonly Failure[] = [
  {
    what: "the device is lost",
    at: "LoadedExecutable_Execute",
    call: 4,
    text: cuda,
    says: [/^R118: The device was lost/],
  },
  {
    what: "the device is lost while a step is waited for",
    at: "Event_Await",
    call: 8,
    text: cuda,
    says: [/^R118: The device was lost/, /The last checkpoint is whole\./, /go on with --resume/],
  },
  {
    what: "memory runs out in the middle",
    at: "LoadedExecutable_Execute",
    call: 4,
    text: "RESOURCE_EXHAUSTED: Out of memory while trying to allocate 4096 bytes.",
    says: [/^R117: Memory ran out: the engine could not run step, for want of 4\.10 kB/],
  },
];

describe.skipIf(process.platform !== "linux" || !hasPlugin || !compiled())("a trainer", () => {
  let trainers: Trainers;
  let whole: string | null;
  beforeAll(async () => {
    trainers = await makeTrainers(["xla"], {
      // Of one program, which is what takes the time.
      masking: { minKeep: 1, targets: { scale: [0.2, 0.2], aspect: [1, 1] }, context: { tokens: 3 } },
      evaluation: { everyEpochs: 0, trainImages: 16, testImages: 16, knn: { neighbours: 3 } },
    });
    whole = (await trainers.run("xla", "whole")).hash;
    expect(whole).not.toBeNull();
  }, 600_000);
  afterAll(() => trainers?.remove());

  const run = async (name: string, { at, call, text }: Failure, env: NodeJS.ProcessEnv = {}) =>
    await trainers.run("xla", name, {
      env: {
        IJEPA_PJRT_PLUGIN: failing,
        // What fails in compiling has to compile.
        IJEPA_XLA_CACHE: "off",
        FAILING_PLUGIN: plugin.path,
        FAILING_SLOT: String(FUNCTIONS[at]),
        FAILING_CALL: String(call),
        FAILING_TEXT: text,
        ...env,
      },
    });

  test.each(atTheStart)("says it where $what", { timeout: 300_000 }, async (failure) => {
    const { code, stderr } = await run(failure.what, failure);
    for (const says of failure.says) expect(stderr).toMatch(says);
    expect({ code, lines: stderr.trimEnd().split("\n").length }).toEqual({ code: 1, lines: 1 });
  });

  test.each(later)(
    "says it where $what, and goes on from its last checkpoint",
    { timeout: 600_000 },
    async (failure) => {
      const directory = join(trainers.folder, failure.what);
      const { code, stderr } = await run(failure.what, failure, {
        FAILING_WHEN: trainers.checkpointOf(failure.what),
        IJEPA_XLA_CACHE: join(folder, "cache"),
      });
      for (const says of failure.says) expect(stderr).toMatch(says);
      expect({ code, stack: / {4}at /.test(stderr) }).toEqual({ code: 1, stack: false });
      const log = readFileSync(join(directory, "log.jsonl"), "utf8").trimEnd().split("\n");
      expect(JSON.parse(log.at(-1) ?? "")).toMatchObject({ event: "end", reason: "failed", code: stderr.slice(0, 4) });
      const rest = await trainers.run("xla", failure.what, { flags: ["--resume"] });
      expect(rest).toMatchObject({ code: 0, stderr: "", hash: whole });
    },
  );
});
