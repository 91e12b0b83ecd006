/** Labels that are asked for: of scenes, of columns of parquet files, and of a CSV file that names images. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parquetWriteFile } from "hyparquet-writer";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UserError } from "../../../runtime/errors";
import { evaluateEncoder } from "../../../tools/evaluate/evaluate";
import { labelsGiven } from "../../../tools/evaluate/labels";
import type { ProbeResults } from "../../../tools/evaluate/result";
import { ExportRefused } from "../../../tools/export/refused";
import { makeRun } from "../../support/exported";

const folder = mkdtempSync(join(tmpdir(), "ijepa-labels-"));
const from = join(folder, "run");
const cache = join(folder, "cache");
const pictures = join(folder, "pictures");
const table = join(folder, "table");
const names = Array.from({ length: 240 }, (_, i) => `${i % 2 === 0 ? "even" : "odd"}/${i}.png`);
/** Three to five objects, nearer or farther: what Clevr asks for. */
const countOf = (i: number): number => 3 + (i % 3);
const distanceOf = (i: number): string => (i % 4 < 2 ? "< 8" : "< 8.5");

beforeAll(async () => {
  await makeRun(from);
  const images: Uint8Array[] = [];
  for (const [i, name] of names.entries()) {
    const background = { r: 60 * (i % 3), g: 120 * (i % 2), b: i % 4 < 2 ? 250 : 0 };
    const png = await sharp({ create: { width: 24, height: 24, channels: 3, background } })
      .png()
      .toBuffer();
    mkdirSync(dirname(join(pictures, name)), { recursive: true });
    writeFileSync(join(pictures, name), png);
    images.push(png);
  }
  mkdirSync(table);
  parquetWriteFile({
    filename: join(table, "train.parquet"),
    columnData: [
      { name: "image", data: images, type: "BYTE_ARRAY" },
      { name: "count", data: names.map((_, i) => countOf(i)), type: "INT32" },
      { name: "distance", data: names.map((_, i) => distanceOf(i)), type: "STRING" },
      { name: "depth", data: names.map((_, i) => 8 + i / 1000), type: "DOUBLE" },
    ],
  });
  writeFileSync(join(pictures, "metadata.csv"), csv(names.map((name, i) => [name, countOf(i), distanceOf(i)])));
});
afterAll(() => rmSync(folder, { recursive: true }));

const csv = (rows: readonly (readonly (string | number)[])[]): string =>
  `${[["file_name", "count", "distance"], ...rows].map((row) => row.join(",")).join("\r\n")}\r\n`;

const evaluated = (
  labels: string | null,
  data: string | null,
  protocol: "linear" | "knn" = "linear",
): Promise<ProbeResults> =>
  evaluateEncoder({
    from,
    encoder: "target",
    protocols: [protocol],
    data,
    labels,
    spec: null,
    trainImages: null,
    testImages: null,
    epochs: 1,
    cache,
    progress: () => {},
  });

async function refusal(labels: string, data: string | null): Promise<string> {
  try {
    await evaluated(labels, data);
  } catch (error) {
    if (error instanceof ExportRefused) return `${error.problem.code} ${error.problem.what} ${error.problem.found}`;
    if (error instanceof UserError) return error.code;
    throw error;
  }
  return "nothing";
}

const tasksOf = ({ tasks }: ProbeResults) => tasks.map(({ name, classes }) => [name, classes]);
const accuracies = ({ rows }: ProbeResults) => rows[0]?.tasks.map(({ linear }) => linear?.value ?? 0) ?? [];

test.each([
  ["count,distance", { kind: "names", names: ["count", "distance"] }],
  ["a/b.csv", { kind: "file", path: "a/b.csv", names: null }],
  ["C:\\x\\b.CSV: count , distance", { kind: "file", path: "C:\\x\\b.CSV", names: ["count", "distance"] }],
])("%s", (text, want) => {
  expect(labelsGiven(text)).toEqual(want);
});

describe("a linear probe of count and distance", () => {
  test("of rendered scenes: all labels that they have, or those that are asked for", async () => {
    expect(tasksOf(await evaluated(null, null, "knn")).map(([name]) => name)).toEqual(["shape", "count", "distance"]);
    expect(tasksOf(await evaluated("distance,count", null, "knn")).map(([name]) => name)).toEqual([
      "distance",
      "count",
    ]);
  });

  test("of columns of parquet files, and of a CSV file beside the images: the same classes", async () => {
    for (const [labels, data] of [
      ["count,distance", table],
      [join(pictures, "metadata.csv"), pictures],
      [`${join(pictures, "metadata.csv")}:count,distance`, pictures],
    ] as const) {
      const found = await evaluated(labels, data);
      expect(tasksOf(found), labels).toEqual([
        ["count", 3],
        ["distance", 2],
      ]);
      // The images show both.
      for (const accuracy of accuracies(found)) expect(accuracy, labels).toBeGreaterThan(0.9);
    }
  });
});

describe("labels that cannot be probed for are refused with the place and the reason", () => {
  const broken = (text: string): string => {
    const path = join(pictures, "broken.csv");
    writeFileSync(path, text);
    return path;
  };
  const rows = names.map((name, i) => [name, countOf(i), distanceOf(i)] as const);
  const cases: readonly (readonly [what: string, labels: () => string, data: string | null, says: RegExp])[] = [
    [
      "a label that scenes do not have",
      () => "colour",
      null,
      /^E467 there is no label "colour" shape, count, distance$/,
    ],
    ["a column that a table does not have", () => "count,colour", table, /^E467 there is no label "colour"/],
    ["no name", () => ",", table, /^E467 --labels names no label/],
    ["a measure", () => "depth", table, /^E469 "depth" has \d+ values on \d+ training images/],
    [
      "a column that the file does not have",
      () => `${broken(csv(rows))}:colour`,
      pictures,
      /^E467 .* count, distance$/,
    ],
    ["no file", () => join(folder, "nowhere.csv"), pictures, /^E468 .*no such file/],
    ["no column of files", () => broken("name,count\na,1\n"), pictures, /^E468 .*no column file_name/],
    [
      "an image without a line",
      () => broken(csv(rows.slice(3))),
      pictures,
      /^E468 .*no line has even\/[02]\.png|odd\/1/,
    ],
    [
      "an image twice",
      () => broken(csv([...rows, ["even/0.png", 3, "near"]])),
      pictures,
      /^E468 .*lines 2 and 242 both have even\/0\.png/,
    ],
    [
      "a cell that is empty",
      () => broken(csv(rows.map((row) => [row[0], "", row[2]]))),
      pictures,
      /^E468 .*line \d+ has nothing in the column count/,
    ],
    ["a line of another length", () => broken("file_name,count\na,1,2\n"), pictures, /^E468 .*Invalid Record Length/],
    ["one class", () => broken(csv(rows.map((row) => [row[0], 1, row[2]]))), pictures, /^E462/],
    ["a file of labels for scenes", () => broken(csv(rows)), null, /^E468 .*rendered scenes/],
  ];
  test.each(cases)("%s", async (_, labels, data, says) => {
    expect(await refusal(labels(), data)).toMatch(says);
  });
});
