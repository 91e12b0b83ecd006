import { expect, test } from "vitest";
import {
  type EvaluationReport,
  formatJson,
  formatMarkdown,
  formatText,
  resultTable,
  rowLine,
  standardError,
} from "../../../runtime/evaluate/evaluation-report";

const report: EvaluationReport = {
  trainImages: 4096,
  validationImages: 512,
  testImages: 1024,
  neighbours: 20,
  tasks: [
    { name: "object count", classes: 4, chance: 0.2578 },
    { name: "shape of the largest object", classes: 4, chance: 0.25 },
  ],
  rows: [
    {
      representation: "target encoder",
      dimension: 96,
      tasks: [
        { linearProbe: 0.4512, knn: 0.3416, l2: 0.01 },
        { linearProbe: 0.576, knn: 1, l2: 0.001 },
      ],
      collapse: { rankMe: 13.24, featureSpread: 0.4071 },
    },
    {
      representation: "raw pixels (16×16)",
      dimension: 768,
      tasks: [
        { linearProbe: 0.35, knn: 0.27, l2: 1 },
        { linearProbe: 0.341, knn: 0.3, l2: 1 },
      ],
      collapse: null,
    },
  ],
};

test("text: tasks above their columns, numbers aligned, what they are below", () => {
  expect(formatText(report)).toMatchInlineSnapshot(`
    "                            object count   shape of the largest object
    representation        linear probe  k-NN           linear probe   k-NN   RankMe  spread
    ───────────────────────────────────────────────────────────────────────────────────────
    target encoder                45.1  34.2                   57.6  100.0     13.2    0.41
    raw pixels (16×16)            35.0  27.0                   34.1   30.0
    most frequent class           25.8  25.8                   25.0   25.0

    Accuracy in % on 1024 test images that neither training nor the choice of the probe saw; chance alone moves it by up to ±1.6 (one standard error).
    Linear probe: logistic regression on 4096 training images, its L2 strength chosen on 512 validation images.
    k-NN: the 20 nearest training images by cosine, weighted.
    RankMe and spread are signals of collapse (towards 1 and 0), not scores: they may fall in a healthy run."
  `);
});

test("Markdown: one heading per column", () => {
  expect(formatMarkdown(report)).toMatchInlineSnapshot(`
    "| representation | object count, linear probe | object count, k-NN | shape of the largest object, linear probe | shape of the largest object, k-NN | RankMe | spread |
    | --- | ---: | ---: | ---: | ---: | ---: | ---: |
    | target encoder | 45.1 | 34.2 | 57.6 | 100.0 | 13.2 | 0.41 |
    | raw pixels (16×16) | 35.0 | 27.0 | 34.1 | 30.0 |  |  |
    | most frequent class | 25.8 | 25.8 | 25.0 | 25.0 |  |  |

    Accuracy in % on 1024 test images that neither training nor the choice of the probe saw; chance alone moves it by up to ±1.6 (one standard error).
    Linear probe: logistic regression on 4096 training images, its L2 strength chosen on 512 validation images.
    k-NN: the 20 nearest training images by cosine, weighted.
    RankMe and spread are signals of collapse (towards 1 and 0), not scores: they may fall in a healthy run."
  `);
});

test("a cell can not break a Markdown table", () => {
  const odd = { ...report, tasks: report.tasks.map((task) => ({ ...task, name: "a|b" })) };
  const [heading = "", rule = ""] = formatMarkdown(odd).split("\n");
  expect(heading.replaceAll("\\|", "").split("|")).toHaveLength(rule.split("|").length);
});

test("JSON holds the exact numbers", () => {
  expect(JSON.parse(formatJson(report))).toMatchObject(report);
});

test("the table of a summary", () => {
  const { columns, rows } = resultTable(report);
  expect(columns[0]).toBe("object count, linear probe");
  expect(rows.map(({ name }) => name)).toEqual(["target encoder", "raw pixels (16×16)", "most frequent class"]);
  for (const { cells } of rows) expect(cells).toHaveLength(columns.length);
});

test("a row on one line", () => {
  const [row] = report.rows;
  expect(row && rowLine(row, report.tasks)).toBe(
    "object count: linear probe 45.1 %, k-NN 34.2 % · shape of the largest object: linear probe 57.6 %, k-NN 100.0 % · " +
      "RankMe 13.2, spread 0.41",
  );
});

test("a standard error of 1024 images is 1.6 points", () => {
  expect(standardError(1024)).toBeCloseTo(0.015625, 9);
});
