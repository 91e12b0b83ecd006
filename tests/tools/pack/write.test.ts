import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { list } from "tar";
import { afterAll, beforeEach, expect, test } from "vitest";
import { type PackageContents, writePackage } from "../../../tools/pack/write";

const folder = mkdtempSync(join(tmpdir(), "ijepa-write-"));
const out = join(folder, "new", "out");
const source = join(folder, "source.bin");
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => rmSync(join(folder, "new"), { recursive: true, force: true }));
writeFileSync(source, Buffer.alloc(100_000, 7));

const contents: PackageContents = {
  name: "small",
  files: [
    { from: source, to: "node_modules/z/z.node" },
    { from: source, to: "bin/node" },
  ],
  texts: [{ to: "train.sh", text: "#!/bin/sh\n" }],
  programs: ["train.sh", "bin/node"],
};

const digest = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex");

test("the same contents give the same bytes, whatever time it is and whatever the files were", async () => {
  const first = await writePackage(contents, { out });
  if (!first.ok) throw new Error(first.diagnostic.what);
  const before = digest(first.written.archive);
  const old = process.umask(0o077);
  chmodSync(source, 0o600);
  try {
    const again = await writePackage(contents, { out: join(folder, "new", "again") });
    if (!again.ok) throw new Error(again.diagnostic.what);
    expect(digest(again.written.archive)).toBe(before);
    expect(again.written.archiveBytes).toBeLessThan(again.written.folderBytes);
  } finally {
    process.umask(old);
  }
  const entries: object[] = [];
  await list({
    file: first.written.archive,
    onReadEntry: ({ path, mode, uid, mtime }) =>
      entries.push({ path, mode, owner: uid ?? 0, year: mtime?.getUTCFullYear() }),
  });
  expect(entries).toEqual([
    { path: "small/bin/node", mode: 0o755, owner: 0, year: 1985 },
    { path: "small/node_modules/z/z.node", mode: 0o644, owner: 0, year: 1985 },
    { path: "small/train.sh", mode: 0o755, owner: 0, year: 1985 },
  ]);
});

test.each(["small", "small.tar.gz"])("%s is in the way, and stays as it is", async (name) => {
  mkdirSync(join(out, name), { recursive: true });
  const result = await writePackage(contents, { out });
  expect(result).toMatchObject({ ok: false, diagnostic: { code: "E441", file: join(out, name) } });
  expect(readdirSync(out)).toEqual([name]);
});

test("no room: nothing is begun", async () => {
  const result = await writePackage(contents, { out, freeBytes: () => 150_000 });
  expect(result).toMatchObject({ ok: false, diagnostic: { code: "E442", found: "0.00 GiB free" } });
  expect(existsSync(join(folder, "new"))).toBe(false);
});

test("a failure in the middle leaves nothing, and what was there before", async () => {
  // A folder where a file should be copied from: found out when it is read.
  const broken = { ...contents, files: [...contents.files, { from: folder, to: "lib/x" }] };
  await expect(writePackage(broken, { out })).rejects.toThrow();
  expect(existsSync(join(folder, "new"))).toBe(false);
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, "mine"), "");
  await expect(writePackage(broken, { out })).rejects.toThrow();
  expect(readdirSync(out)).toEqual(["mine"]);
});
