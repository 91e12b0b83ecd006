/** compile --watch in a process of its own: what it prints as a spec is written, broken, replaced and deleted. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "ijepa-watch-"));
const file = join(folder, "small.json");
const text = (loss: string): string =>
  `{
  "image": { "size": 32 },
  "encoder": { "dim": 16, "depth": 1, "heads": 2, "patch": 8 },
  "predictor": { "dim": 8, "depth": 1, "heads": 2 },
  "masking": { "minKeep": 0, "targets": { "count": 2, "scale": [0.2, 0.3] }, "context": { "tokens": 4 } },
  "optimization": { "epochs": 1, "globalBatch": 4, "learningRate": { "warmupEpochs": 0 } },
  "data": { "source": "shapes", "trainImages": 16, "validationImages": 16, "testImages": 16, "sceneSize": 32 },
  "evaluation": { "knn": { "neighbours": 3 } },
  "loss": "${loss}"
}
`;

let command: ChildProcess;
let printed = "";
let read = 0;

beforeAll(() => {
  writeFileSync(file, text("smoothL1"));
  command = spawn(process.execPath, [join(root, "bin/ijepa.js"), "compile", "--watch", "small.json"], { cwd: folder });
  const keep = (chunk: unknown) => {
    printed += String(chunk);
  };
  command.stdout?.on("data", keep);
  command.stderr?.on("data", keep);
});
afterAll(() => {
  command.kill("SIGKILL");
  rmSync(folder, { recursive: true });
});

/** What one round prints; the rounds end with the same line. */
async function round(): Promise<string> {
  const end = /\d\d:\d\d:\d\d watching 1 spec; Ctrl-C ends\n/g;
  end.lastIndex = read;
  for (let waited = 0; waited < 30_000; waited += 20) {
    const found = end.exec(printed);
    if (found !== null) {
      const from = read;
      read = end.lastIndex;
      return printed.slice(from, found.index);
    }
    if (command.exitCode !== null) break;
    await new Promise((done) => setTimeout(done, 20));
    end.lastIndex = read;
  }
  throw new Error(`no more rounds; so far:\n${printed}`);
}

const trainer = join(folder, "generated/small/step.ts");

test("a life of a spec", async () => {
  expect(await round()).toMatch(/^small\.json → generated\/small \(.*\) in \d+\.\d\d s\n$/);
  expect(readFileSync(trainer, "utf8")).toContain("o.smoothL1(");

  writeFileSync(file, text("smoothL2"));
  const broken = await round();
  expect(broken).toContain("small.json:9:11 E205 loss: not one of the choices\n");
  expect(broken).toContain('    9 |   "loss": "smoothL2"\n');
  expect(broken).toContain("1 problem in 1 file.\n");
  expect(readFileSync(trainer, "utf8")).toContain("o.smoothL1(");

  // Many editors write beside the file and put the new one in its place.
  writeFileSync(`${file}~`, text("mse"));
  renameSync(`${file}~`, file);
  const changed = await round();
  expect(changed).toMatch(/^--- small\.json as it was\n\+\+\+ small\.json\n/);
  expect(changed).toContain("What it means\n  loss  smoothL1 → mse\n");
  expect(changed).toContain("  step.ts lossOf  +1 −1\n");
  expect(changed).toMatch(/\nsmall\.json → generated\/small \(.*\) in \d+\.\d\d s\n$/);
  expect(readFileSync(trainer, "utf8")).toContain("o.mse(");

  rmSync(file);
  expect(await round()).toContain("small.json E101 there is no such file\n");

  writeFileSync(file, `// A comment changes nothing.\n${text("mse")}`);
  expect(await round()).toBe("small.json: the same experiment as before\n");

  const edited = `${readFileSync(trainer, "utf8")}// mine\n`;
  writeFileSync(trainer, edited);
  writeFileSync(file, text("smoothL1"));
  const refused = await round();
  expect(refused).toMatch(/^generated\/small E431 was edited by hand.*\n {2}found {2}step\.ts /);
  expect(refused).toContain("lines, some of them from a change of the spec");
  expect(readFileSync(trainer, "utf8")).toBe(edited);

  command.kill("SIGINT");
  const [code] = await once(command, "exit");
  expect(code).toBe(0);
  expect(existsSync(trainer)).toBe(true);
});
