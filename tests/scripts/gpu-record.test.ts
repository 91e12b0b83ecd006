/** What takes the JSON of a GPU check: refused is what is none; with --on it runs the package elsewhere, by a stand-in for ssh. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { afterAll, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "ijepa gpu-record "));
afterAll(() => rmSync(folder, { recursive: true }));

function put(name: string, text: string, mode = 0o644): string {
  const path = join(folder, name);
  mkdirSync(resolve(path, ".."), { recursive: true });
  writeFileSync(path, text, { mode });
  return path;
}

function record(...args: readonly string[]): { status: number | null; stderr: string } {
  const PATH = [join(folder, "bin"), process.env.PATH].join(delimiter);
  const script = [join(root, "node_modules/tsx/dist/cli.mjs"), join(root, "scripts/gpu-record.ts")];
  const { status, stderr } = spawnSync(process.execPath, [...script, ...args], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, PATH },
  });
  return { status, stderr };
}

const trial = {
  ...{ date: "2026-01-01", version: "0", seconds: 1, device: "cpu", small: true },
  ...{ machine: { card: null }, parts: [], refused: [] },
};

test.each([
  [[], /scripts\/gpu-record\.ts gpu\.json, or --on HOST/],
  [["--on"], /--on HOST/],
  [["--on", "-oProxyCommand=x"], /--on takes the name of a machine/],
  [["nothing.json"], /nothing\.json is no JSON: ENOENT/],
  [[put("list.json", "[]")], /list\.json is not what sh gpu-check\/run\.sh writes/],
  [[put("cpu.json", JSON.stringify(trial))], /is of device cpu, small sizes: a trial, not a run/],
])("%j is refused", { timeout: 120_000 }, (args, says) => {
  const before = existsSync(join(root, "docs/gpu.json"));
  const { status, stderr } = record(...args);
  expect(status).toBe(2);
  expect(stderr).toMatch(says);
  expect(stderr).not.toContain("    at ");
  expect(existsSync(join(root, "docs/gpu.json"))).toBe(before);
});

test("--on copies the package, runs it and brings the JSON back", { timeout: 120_000 }, () => {
  const log = join(folder, "log");
  put("gpu-check/run.sh", "");
  put("there.json", JSON.stringify(trial));
  put("bin/ssh", `#!/bin/sh\nprintf 'ssh %s\\n' "$*" >> '${log}'\n`, 0o755);
  put(
    "bin/scp",
    `#!/bin/sh\nprintf 'scp %s\\n' "$*" >> '${log}'\ncase $2 in host:gpu.json) cp '${folder}/there.json' "$3" ;; esac\n`,
    0o755,
  );
  // What came back is of a processor, so that it is not taken into docs/.
  expect(record("--on", "host", "--minutes", "7.5", "--only", "it's").stderr).toMatch(/gpu\.json is of device cpu/);
  expect(readFileSync(log, "utf8")).toContain(
    `scp -q -r gpu-check host:\nssh host sh gpu-check/run.sh --out gpu.json '--minutes' '7.5' '--only' 'it'\\''s'\nscp -q host:gpu.json gpu.json\n`,
  );
});
