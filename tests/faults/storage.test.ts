/** What happens to the disk that a trainer writes to. */
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { readSafetensors } from "../../runtime/checkpoint/safetensors";
import {
  checkpointOf,
  countFault,
  endOf,
  type FaultyTrainer,
  faultyTrainer,
  hashOf,
  isFull,
  mounts,
  newFolder,
  start,
  timeout,
  untilStep,
} from "./trainer";

describe("a run", () => {
  let trainer: FaultyTrainer = { script: "", whole: "" };
  beforeAll(async () => {
    trainer = await faultyTrainer();
    if (mounts === null) console.log("No file system can be mounted here: full and read-only disks are left out.");
  }, 600_000);

  /** A shell in a name space of its own, with a small file system on `folder`; `then` sees it before it is gone. */
  const onSmallDisk = (folder: string, kilobytes: number, then: string): readonly string[] => [
    ...(mounts ?? []),
    ...["sh", "-c", `mount -t tmpfs -o size=${kilobytes}k none "$0" && "$@"; code=$?; ${then}; exit $code`, folder],
  ];

  it.skipIf(mounts === null)(
    "on a disk that fills up ends in a sentence, and goes on with room",
    { timeout },
    async () => {
      // The checkpoint has about half a megabyte, and a second one is written beside it.
      const sizes = isFull ? [40, 200, 400, 500, 600, 700, 800, 900, 1000, 1100] : [40];
      const came: Record<string, number> = {};
      for (const size of sizes) {
        const disk = mkdtempSync(join(tmpdir(), "ijepa-disk-"));
        const kept = mkdtempSync(join(tmpdir(), "ijepa-kept-"));
        const folder = join(disk, "run");
        const { code, text } = await endOf(
          start({ script: trainer.script, folder, under: onSmallDisk(disk, size, `cp -a "$0/." ${kept}`) }),
        );
        const said = /(R\d{3}): /.exec(text)?.[1] ?? (code === 0 ? "done" : "");
        came[said] = 1 + (came[said] ?? 0);
        if (code === 0) continue;
        expect({ code, said }, text).toEqual({ code: 1, said: expect.stringMatching(/^R1\d\d$/) });
        expect(text).toMatch(/full/);
        expect(text).not.toMatch(/internal:|^ {4}at /m);
        // What was kept of it is whole, and with room it goes on.
        const goesOn = join(kept, "run");
        if (existsSync(checkpointOf(goesOn))) await readSafetensors(checkpointOf(goesOn));
        expect(await endOf(start({ script: trainer.script, folder: goesOn }))).toMatchObject({ code: 0 });
        expect(hashOf(goesOn)).toBe(trainer.whole);
      }
      expect(Object.keys(came).some((said) => /^R/.test(said))).toBe(true);
      countFault("full-disk", sizes.length, came);
    },
  );

  it.skipIf(mounts === null || !isFull)(
    "on a disk that becomes read-only ends in a sentence, and goes on",
    { timeout },
    async () => {
      const disk = mkdtempSync(join(tmpdir(), "ijepa-disk-"));
      const kept = mkdtempSync(join(tmpdir(), "ijepa-kept-"));
      const folder = join(disk, "run");
      // The watcher is of the same name space, so the mount is too.
      const watcher = `(until grep -qs '"event":"step","step":20,' "$0/run/log.jsonl"; do sleep 0.02; done; mount -o remount,ro "$0") &`;
      const under = [
        ...(mounts ?? []),
        ...[
          "sh",
          "-c",
          `mount -t tmpfs none "$0" && { ${watcher} "$@"; code=$?; wait; cp -a "$0/." ${kept}; exit $code; }`,
          disk,
        ],
      ];
      const { code, text } = await endOf(start({ script: trainer.script, folder, under }));
      // It may have been done before the mount was.
      if (code !== 0) {
        expect(code, text).toBe(1);
        expect(text).toMatch(/R1\d\d: .*read-only/);
        expect(text).not.toMatch(/internal:|^ {4}at /m);
      }
      const goesOn = join(kept, "run");
      expect(await endOf(start({ script: trainer.script, folder: goesOn }))).toMatchObject({ code: 0 });
      expect(hashOf(goesOn)).toBe(trainer.whole);
      countFault("read-only", 1, { [/(R\d{3}): /.exec(text)?.[1] ?? "done before"]: 1 });
    },
  );

  it("whose folder is deleted ends in a sentence", { timeout }, async () => {
    const folder = newFolder();
    const started = start({ script: trainer.script, folder });
    const end = endOf(started);
    await untilStep(started, 10);
    // In one go: a trainer that writes meanwhile would keep `rm -r` from it.
    renameSync(folder, `${folder}-away`);
    rmSync(`${folder}-away`, { recursive: true, force: true });
    const { code, text } = await end;
    expect(existsSync(folder)).toBe(false);
    expect(code, text).toBe(1);
    expect(text).toMatch(/R1\d\d: /);
    expect(text).toContain(folder);
    expect(text).not.toMatch(/internal:|^ {4}at /m);
    expect(readdirSync(dirname(folder))).toEqual([]);
    countFault("folder-deleted", 1);
  });
});
