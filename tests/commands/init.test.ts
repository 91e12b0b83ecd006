import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Command } from "commander";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { completion, shells } from "../../commands/completion";
import { loadSpec } from "../../compiler/spec/load";
import { choicesText, specText } from "../../tools/init/choose";

const folder = mkdtempSync(join(tmpdir(), "ijepa-init-"));
afterAll(() => rmSync(folder, { recursive: true }));

beforeAll(async () => {
  execFileSync(process.execPath, ["scripts/build.mjs"]);
  for (const part of ["train/cat", "train/dog", "val/cat", "val/dog"]) {
    mkdirSync(join(folder, "images", part), { recursive: true });
    for (let i = 0; i < 12; i++) {
      const image = sharp({ create: { width: 90, height: 70, channels: 3, background: { r: 20 * i, g: 0, b: 0 } } });
      await image.png().toFile(join(folder, "images", part, `${i}.png`));
    }
  }
});

const ijepa = (...args: string[]) =>
  spawnSync(process.execPath, [resolve("bin/ijepa.js"), ...args], { encoding: "utf8", cwd: folder });

test("init looks at the images, times a step, and writes a valid spec that it does not write over", () => {
  const written = ijepa("init", "mine", "--images", "images", "--minutes", "0.1");
  expect(written.status).toBe(0);
  expect(written.stdout).toMatch(/data: 24 images, 2 classes; the probes are judged on the validation images\n/);
  expect(written.stdout).toMatch(/optimization: \d+ epochs? takes? about .* here, at [\d.]+ images\/s\n/);
  expect(loadSpec(join(folder, "mine.json"))).toMatchObject({
    ok: true,
    warnings: [],
    spec: {
      image: { size: 64 },
      encoder: { patch: 8 },
      data: { train: "./images/train", validation: "./images/val", images: 24 },
    },
  });
  const before = readFileSync(join(folder, "mine.json"), "utf8");
  expect(ijepa("init", "mine")).toMatchObject({ status: 2, stderr: expect.stringContaining("E904") });
  expect(readFileSync(join(folder, "mine.json"), "utf8")).toBe(before);
  expect(ijepa("init", "other", "--images", "nowhere")).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/^E319 /),
  });
});

test("folders that are no classes are no labels", () => {
  const written = ijepa("init", "plain", "--images", "images", "--minutes", "0.1", "--no-labels");
  expect(written.stdout).toContain("data: 24 images, 2 classes that are not used: nothing is evaluated with labels\n");
  expect(loadSpec(join(folder, "plain.json"))).toMatchObject({ ok: true, spec: { data: { labels: false } } });
});

/** `script` of util-linux runs a command on a terminal of its own. */
const hasTerminal = spawnSync("script", ["--version"], { encoding: "utf8" }).stdout?.includes("util-linux") ?? false;

describe.skipIf(!hasTerminal)("on a terminal (skipped without `script` of util-linux)", () => {
  /** Presses keys when what they answer has been shown; gives all that was shown, and the exit code. */
  async function typed(args: string, turns: readonly (readonly [shown: string, keys: string])[]) {
    const command = `'${process.execPath}' '${resolve("bin/ijepa.js")}' init ${args}`;
    const child = spawn("script", ["-qec", command, "/dev/null"], { cwd: folder, stdio: ["pipe", "pipe", "inherit"] });
    let shown = "";
    let seen = 0;
    const left = [...turns];
    child.stdout.on("data", (chunk: Buffer) => {
      shown += String(chunk);
      const [turn] = left;
      if (turn === undefined || !shown.slice(seen).includes(turn[0])) return;
      left.shift();
      seen = shown.length;
      child.stdin.write(turn[1]);
    });
    const code = await new Promise((ended) => child.on("close", ended));
    return { code, shown, unasked: left };
  }

  test("questions lead to the same spec as flags, and the flags are shown", async () => {
    const turns = [
      ["Name of the experiment", "asked\r"],
      ["What to learn from", "\u001b[B\r"],
      ["Where they are", "images\r"],
      ["2 folders (cat, dog)", "\r"],
      ["Minutes", "\r"],
    ] as const;
    const { code, shown, unasked } = await typed("", turns);
    expect({ code, unasked }).toEqual({ code: 0, unasked: [] });
    expect(shown).toContain("The same without questions: ijepa init asked --images images --minutes 10 --yes");
    expect(loadSpec(join(folder, "asked.json"))).toMatchObject({
      ok: true,
      spec: { data: { train: "./images/train" } },
    });
  });

  test("Ctrl-C leaves nothing behind", async () => {
    const before = readdirSync(folder);
    const { code, shown } = await typed("stopped", [["What to learn from", "\u0003"]]);
    expect({ code, files: readdirSync(folder) }).toEqual({ code: 130, files: before });
    expect(shown).toContain("Nothing was written.");
  });

  test("--yes asks nothing", async () => {
    const { code, shown } = await typed("unasked --yes --minutes 0.1", []);
    expect(code).toBe(0);
    expect(shown).not.toContain("What to learn from");
  });
});

test("without images it is scenes", () => {
  const input = { name: "x", images: null, labels: true, schema: "s.json" };
  const text = specText(input, { epochs: 3, why: "as measured" });
  expect(text).toContain('"source": "shapes"');
  expect(text).toContain("// as measured\n");
  expect(choicesText(input, { epochs: 3, why: "as measured" })).toContain("optimization: as measured\n");
});

describe("completion", () => {
  const program = new Command("ijepa");
  program.command("run").description("it's a run").option("--out <folder>", "where to");
  program.command("sweep").description("many");

  test.each(shells)("%s has every command and option", (shell) => {
    const script = completion(shell, program);
    for (const word of ["run", "sweep", shell === "fish" ? "-l out" : "--out"]) expect(script).toContain(word);
  });

  test.skipIf(process.platform === "win32")("bash completes by it", () => {
    const of = (words: string, at: number): string => {
      const ask = `COMP_WORDS=(${words}); COMP_CWORD=${at}; _ijepa; echo "\${COMPREPLY[*]}"`;
      return execFileSync("bash", ["-c", `${completion("bash", program)}\n${ask}`], { encoding: "utf8" }).trim();
    };
    expect(of("ijepa s", 1)).toBe("sweep");
    expect(of("ijepa run --o", 2)).toBe("--out");
    expect(of("ijepa run x", 2)).toBe("");
  });
});
