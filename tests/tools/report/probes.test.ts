/** What `ijepa evaluate` wrote into the logs of runs, in every place where runs are shown. */
import { appendFileSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readLogFile } from "../../../runtime/report/read-log";
import { evaluateEncoder } from "../../../tools/evaluate/evaluate";
import type { ProbeResults, ProtocolName } from "../../../tools/evaluate/result";
import { exportRun } from "../../../tools/export/export";
import { reportRuns } from "../../../tools/report/report";
import { labelled } from "../../../tools/report/runs";
import { probesTable } from "../../../tools/report/tables";
import { runsText, runText } from "../../../tools/report/terminal";
import { listPage } from "../../../tools/serve/pages";
import { ijepa } from "../../support/command";
import { makeRun as makeTrainedRun, smallSpec } from "../../support/exported";
import { makeRun, read, runsFolder } from "./made-runs";

const folder = runsFolder();
afterAll(() => rmSync(folder, { recursive: true }));

const chosen = (task: string, value: number) => ({
  task,
  epochs: 50,
  best: {
    learningRate: 0.001,
    weightDecay: 0.1,
    validation: value + 0.01,
    test: { value, interval: [value - 0.02, value + 0.02] },
  },
  choice: { optimism: 0.01, medianTest: value - 0.01, bestTest: value },
});
const results = (attentive: number, more: object = {}) => ({
  experiment: "quickstart",
  checkpoint: "runs/quickstart",
  encoder: "target",
  step: 20,
  data: "rendered scenes of the experiment",
  images: { train: 100, validation: 50, test: 50 },
  neighbours: 20,
  protocols: ["attentive"],
  tasks: [
    { name: "count", classes: 4, chance: 0.25 },
    { name: "shape", classes: 4, chance: 0.25 },
  ],
  rows: [],
  fewLabels: [],
  heads: [],
  attentive: ["count", "shape"].map((task) => ({
    ...chosen(task, attentive),
    images: 100,
    heads: 4,
    settings: [1, 2, 3],
  })),
  collapse: null,
  lidar: null,
  notes: [],
  ...more,
});
const evaluated = (name: string, ...found: readonly object[]): string => {
  const at = makeRun(folder, name);
  for (const one of found) {
    appendFileSync(
      join(at, "log.jsonl"),
      `${JSON.stringify({ event: "probes", step: 20, time: "2026-01-01", results: one })}\n`,
    );
  }
  return at;
};
const rowsOf = (...runs: readonly string[]) =>
  probesTable(labelled(runs.map(read)))?.rows.map(({ cells }) => cells.map(({ text }) => text));

describe("the table of probes", () => {
  it("has a row for each measure, its newest alone, of every run", () => {
    const a = evaluated("a", results(0.3), results(0.4));
    const b = evaluated("b", results(0.5));
    expect(rowsOf(a, b)).toEqual([
      ["quickstart (a)", "attentive probe", "all patches", "20", "40.0 (38.0–42.0)", "40.0 (38.0–42.0)"],
      ["quickstart (a)", "most frequent class", "", "20", "25.0", "25.0"],
      ["quickstart (b)", "attentive probe", "all patches", "20", "50.0 (48.0–52.0)", "50.0 (48.0–52.0)"],
      ["quickstart (b)", "most frequent class", "", "20", "25.0", "25.0"],
    ]);
  });

  it("joins labels that were asked for apart, and keeps data and encoders apart", () => {
    const count = { attentive: [{ ...chosen("count", 0.4), images: 100, heads: 4, settings: [1] }] };
    const shape = { attentive: [{ ...chosen("shape", 0.6), images: 100, heads: 4, settings: [1] }] };
    const at = evaluated(
      "apart",
      results(0, count),
      results(0, shape),
      results(0.7, { encoder: "context" }),
      results(0.8, { data: "photos" }),
    );
    const probed = rowsOf(at)?.filter(([, measure]) => measure === "attentive probe");
    expect(probed?.map(([, , features, data, , ...values]) => [features, data, ...values])).toEqual([
      ["all patches", "photos", "80.0 (78.0–82.0)", "80.0 (78.0–82.0)"],
      ["all patches, context encoder", "its own", "70.0 (68.0–72.0)", "70.0 (68.0–72.0)"],
      ["all patches", "its own", "40.0 (38.0–42.0)", "60.0 (58.0–62.0)"],
    ]);
  });

  it.each([
    ["results of another version", { heads: [{ task: "count" }] }],
    ["a number that is text", { attentive: [{ ...chosen("count", 0.4), best: { learningRate: "<b>" } }] }],
    ["an encoder that nobody knows", { encoder: "toString" }],
  ])("leaves out %s", (name, more) => {
    expect(rowsOf(evaluated(name.replaceAll(" ", "-"), results(0.4, more)))).toBeUndefined();
  });

  it("is not there where nobody evaluated", () => {
    const bare = makeRun(folder, "bare");
    expect(rowsOf(bare)).toBeUndefined();
    expect(runText(read(bare), { colour: false })).not.toContain("ijepa evaluate");
    expect(runsText([read(bare)], { colour: false })).not.toContain("attentive");
  });
});

describe("a run that was evaluated by every protocol", () => {
  const at = join(folder, "trained");
  const protocols: readonly ProtocolName[] = ["knn", "linear", "few-labels", "collapse", "lidar", "heads", "attentive"];
  let found: ProbeResults;
  let attentive = "";
  beforeAll(async () => {
    await makeTrainedRun(at);
    const common = {
      from: at,
      encoder: "target",
      data: null,
      labels: null,
      spec: null,
      trainImages: null,
      testImages: null,
    } as const;
    found = await evaluateEncoder({ ...common, protocols, epochs: 1, cache: "off", progress: () => {} });
    attentive = (100 * (found.attentive[0]?.best.test.value ?? Number.NaN)).toFixed(1);
  }, 240_000);

  it("shows them in its report, beside another run", async () => {
    const reported = await reportRuns({ runs: [at, makeRun(folder, "beside")], out: null, root: ".", images: 0 });
    if (!reported.ok) throw new Error("no report");
    const html = readFileSync(reported.file, "utf8");
    for (const measure of [
      "attentive probe",
      "best of the heads",
      "linear probe",
      "k-NN, whitened",
      "few labels",
      "RankMe",
      "LiDAR",
    ]) {
      expect(html).toMatch(new RegExp(`data-by="${measure}">${measure}</td>`));
    }
    expect(html).toContain(`>${attentive} (`);
    expect(html).toMatch(/<p>small, count: attentive probe [\d.]+ \([\d.]+–[\d.]+\): 4 heads over .* learning rate/);
    expect(html).toContain("<p>Attentive probe: one learnt query attends over the patches");
  });

  it("shows them in the terminal and in the pages of serve", async () => {
    const task = found.tasks[0]?.name ?? "";
    expect(runsText([read(at)], { colour: false })).toMatch(
      new RegExp(`${task}: attentive probe \\(%\\)[^]* ${attentive} `),
    );
    expect(runText(read(at), { colour: false })).toMatch(
      new RegExp(`attentive probe +all patches +5 +${attentive} \\(`),
    );
    expect(listPage("runs", [{ name: "trained", read: { ok: true, run: read(at) } }], "0")).toContain(
      `${task}: attentive probe (%)`,
    );
    const { out } = await ijepa("runs", at, "--json");
    const [run] = JSON.parse(out).runs;
    expect(run.probes[0].attentive).toEqual(JSON.parse(JSON.stringify(found.attentive)));
  });

  it("shows them in the card of its export: those of the exported encoder alone", async () => {
    const cardOf = async (encoder: "target" | "context"): Promise<string> => {
      const out = join(folder, `card-${encoder}`);
      await exportRun({ from: at, format: "safetensors", encoder, precision: "fp32", images: null, out });
      return readFileSync(join(out, "README.md"), "utf8");
    };
    const card = await cardOf("target");
    expect(card).toContain("By `ijepa evaluate` after step 5:");
    expect(card).toMatch(
      new RegExp(
        `^\\| attentive probe \\| all patches \\| rendered scenes of the experiment \\| ${attentive} \\(`,
        "m",
      ),
    );
    expect(card).toMatch(/^- count: attentive probe .* learning rate/m);
    expect(await cardOf("context")).not.toContain("attentive probe");
  });

  it("has one encoder, where its objective has", async () => {
    const { predictor: _, masking: __, ...spec } = smallSpec;
    const simmim = join(folder, "simmim");
    await makeTrainedRun(simmim, undefined, { ...spec, objective: "simmim" });
    const ran = await ijepa("evaluate", simmim, "--protocol", "collapse", "--cache", "off");
    expect(ran.out).toMatch(/, encoder at step 5 /);
    expect(readLogFile(join(simmim, "log.jsonl")).at(-1)).toMatchObject({
      event: "probes",
      results: { encoder: "only" },
    });
    expect(rowsOf(simmim)?.map(([, measure, features]) => [measure, features])).toEqual([
      ["RankMe", "last layer"],
      ["spread", "last layer"],
    ]);
    const reported = await reportRuns({ runs: [simmim], out: null, root: ".", images: 20 });
    expect(reported.ok && readFileSync(reported.file, "utf8")).toContain(
      "<p>Of the encoder after step 5, for 20 held-out",
    );
  });
});
