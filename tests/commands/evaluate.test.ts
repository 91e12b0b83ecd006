/** `ijepa evaluate` and `ijepa embed` as a person calls them. */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { main } from "../../commands/main";
import { makeRun } from "../support/exported";

const folder = mkdtempSync(join(tmpdir(), "ijepa-judge-"));
const from = join(folder, "run");
beforeAll(async () => {
  await makeRun(from);
});
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

test("a table for people and JSON for programs, of the same numbers", async () => {
  const args = ["evaluate", from, "--protocol", "collapse,knn", "--cache", join(folder, "cache")];
  const table = await ijepa(...args);
  expect(table).toMatchObject({ code: 0, stderr: "" });
  const json = await ijepa(...args, "--json");
  const found: { rows: { tasks: { knn: { value: number } }[] }[]; collapse: { rankMe: number } } = JSON.parse(
    json.stdout,
  );
  const share = (100 * (found.rows[0]?.tasks[0]?.knn.value ?? 0)).toFixed(1);
  expect(table.stdout).toMatch(new RegExp(`^shape +last layer +${share} \\(`, "m"));
  expect(table.stdout).toContain(`RankMe ${found.collapse.rankMe.toFixed(1)}`);
});

test("embed says what it wrote", async () => {
  const images = join(folder, "images");
  mkdirSync(images);
  const create = { width: 24, height: 24, channels: 3, background: "#4080c0" } as const;
  await sharp({ create }).png().toFile(join(images, "a.png"));
  const out = join(folder, "f.npy");
  expect(await ijepa("embed", from, images, "--out", out)).toMatchObject({
    code: 0,
    stdout: `${out}  [1, 32]\n${join(folder, "f-files.txt")}  [1]\n`,
  });
});

const cases: readonly [what: string, args: readonly string[], says: RegExp][] = [
  ["a protocol that is none", ["--protocol", "knn,svm"], /--protocol is "knn,svm"[\s\S]*It takes knn, linear/],
  ["an encoder that is none", ["--encoder", "teacher"], /--encoder is "teacher"/],
  ["no number of images", ["--train-images", "many"], /--train-images is "many"[\s\S]*whole number/],
  [
    "a label that scenes do not have",
    ["--labels", "colour"],
    /E467 there is no label "colour"[\s\S]*shape, count, distance/,
  ],
  ["no epochs", ["--epochs", "0"], /--epochs is "0"/],
  ["a folder that is not there", ["--data", "nowhere"], /nowhere E101 there is no such file/],
  ["a spec that is not there", ["--spec", "nowhere.json"], /nowhere\.json[\s\S]*E101/],
];
test.each(cases)("evaluate refuses %s", async (_, args, says) => {
  const found = await ijepa("evaluate", from, "--cache", "off", ...args);
  expect(found.stderr).toMatch(says);
  expect(found).toMatchObject({ code: 2, stdout: "" });
});

test("embed refuses a name of another format", async () => {
  const { code, stderr } = await ijepa("embed", from, from, "--out", join(folder, "f.csv"));
  expect(stderr).toMatch(/--out is[\s\S]*ends in \.npy or \.parquet/);
  expect({ code, there: existsSync(join(folder, "f.csv")) }).toEqual({ code: 2, there: false });
});
