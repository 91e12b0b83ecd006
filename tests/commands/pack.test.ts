/** A package as a person makes and starts it, on a machine that has a C library, a shell, and nothing else. */
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { extract } from "tar";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { main } from "../../commands/main";

const folder = mkdtempSync(join(tmpdir(), "ijepa-pack-"));
const spec = join(folder, "tiny.json");
const TINY = {
  image: { size: 32 },
  encoder: { dim: 16, depth: 1, heads: 2, patch: 8 },
  predictor: { dim: 8, depth: 1, heads: 2 },
  masking: { minKeep: 0, targets: { count: 2, scale: [0.2, 0.3] } },
  optimization: { epochs: 1, globalBatch: 4, learningRate: { warmupEpochs: 0 } },
  data: { source: "shapes", trainImages: 64, validationImages: 16, testImages: 16, sceneSize: 32 },
  evaluation: { knn: { neighbours: 3 } },
};
writeFileSync(spec, JSON.stringify(TINY));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.restoreAllMocks());

async function ijepa(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const out = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const err = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const code = await main(args);
  const text = ({ mock }: { readonly mock: { readonly calls: readonly unknown[][] } }): string =>
    mock.calls.map(([line]) => String(line)).join("");
  const found = { code, stdout: text(out), stderr: text(err) };
  vi.restoreAllMocks();
  return found;
}

describe("refused, and nothing is written", () => {
  const out = join(folder, "refused");
  const text = join(folder, "plugin.so");
  writeFileSync(text, "no library");
  const cases: readonly [what: string, args: readonly string[], code: number, says: RegExp][] = [
    ["no such spec", [join(folder, "absent.json")], 2, /E101/],
    ["an engine that is none", [spec, "--engine", "cuda"], 1, /hardware\.engine[\s\S]*"cuda"/],
    ["a device that the engine has not", [spec, "--engine", "tfjs", "--device", "webgpu"], 1, /hardware\.device/],
    ["a package that is not installed", [spec, "--engine", "tfjs", "--device", "gpu"], 2, /E440[\s\S]*npm install/],
    ["a plugin that the engine does not take", [spec, "--pjrt-plugin", text], 2, /--pjrt-plugin is of no use/],
    ["no spec", [], 2, /missing required argument/],
  ];
  test.each(cases)("%s", async (_, args, code, says) => {
    const found = await ijepa("pack", ...args, "--out", out);
    expect(found.stderr).toMatch(says);
    expect(found).toMatchObject({ code, stdout: "" });
    expect(existsSync(out)).toBe(false);
  });
});

const canLeave = process.platform === "linux" && process.getuid?.() === 0 && runs("chroot", "/", "true");
const why = canLeave ? "" : " (skipped: only root of a Linux machine can enter an empty root)";
/** Without a network where the system lets a process leave it. */
const outside = canLeave && runs("unshare", "-n", "true") ? ["unshare", "-n"] : [];

function runs(command: string, ...args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: "ignore" }).status === 0;
}

/** The libraries that a program or a library loads, by their paths. */
function librariesOf(file: string): readonly string[] {
  const { stdout } = spawnSync("ldd", [file], { encoding: "utf8" });
  return [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, path = ""]) => path);
}

describe.skipIf(!canLeave)(`an empty root${why}`, () => {
  const root = join(folder, "root");
  beforeAll(async () => {
    const packed = await ijepa("pack", spec, "--node", "--out", join(folder, "out"));
    expect(packed).toMatchObject({ code: 0, stderr: "" });
    mkdirSync(join(root, "dev"), { recursive: true });
    writeFileSync(join(root, "dev/null"), "");
    await extract({ file: join(folder, "out/tiny.tar.gz"), cwd: root });
    const natives = readdirSync(join(root, "tiny"), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.node$|\.so(\.\d+)*$|bin\/node$/.test(name))
      .map((name) => join(root, "tiny", name));
    const foreign = ["/bin/sh", ...[...natives, "/bin/sh"].flatMap(librariesOf)];
    for (const path of foreign.filter((each) => !each.startsWith(root))) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      copyFileSync(path, join(root, path));
    }
  }, 120_000);

  function started(...flags: readonly string[]): { status: number | null; text: string } {
    const [command = "", ...args] = [...outside, "chroot", root, "/bin/sh", "/tiny/train.sh", ...flags];
    const { status, stdout, stderr } = spawnSync(command, args, {
      encoding: "utf8",
      // Finds chroot here, and nothing in there.
      env: { PATH: process.env.PATH },
    });
    return { status, text: stdout + stderr };
  }

  test("has a C library, a shell, and the package", () => {
    const others = readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
      .filter((path) => !path.startsWith("/tiny/") && !/\/(lib[a-z_+]+|ld-[\w-]+)(-[\d.]+)?\.so/.test(path));
    expect(others.sort()).toEqual(["/bin/sh", "/dev/null"]);
    expect(readFileSync(join(root, "tiny/README"), "utf8").split("\n")).toHaveLength(11);
  });

  test("it trains, and a second start goes on", { timeout: 120_000 }, () => {
    const first = started("--steps", "3", "--no-progress");
    expect(first.text).toMatch(/onnxruntime .* by its C interface/);
    expect(first).toMatchObject({ status: 0 });
    const second = started("--steps", "5", "--no-progress");
    expect(second.text).toMatch(/step 3/);
    expect(second).toMatchObject({ status: 0 });
    const log = readFileSync(join(root, "runs/tiny/log.jsonl"), "utf8");
    expect(log).toContain('"step":5');
  });

  test("flags go to the trainer, and what they say comes back", () => {
    expect(started("--help").text).toContain("--run-dir");
    expect(started("--steps", "0").status).toBe(2);
  });

  test("without Node in it, it says so", () => {
    rmSync(join(root, "tiny/bin"), { recursive: true });
    expect(started()).toEqual({
      status: 2,
      text: "There is no node on this machine. Pack with --node to take it along.\n",
    });
  });
});
