import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { experiment } from "../../../generated/quickstart/experiment";
import { csvHeader } from "../../../runtime/report/csv";
import { chartsOf } from "../../../tools/report/curves";
import { reportRuns } from "../../../tools/report/report";
import { findRuns, labelled } from "../../../tools/report/runs";
import { costTable, evaluationTable, fieldsTable } from "../../../tools/report/tables";
import { comparisonText, runsText, runText } from "../../../tools/report/terminal";
import { makeRun, read, runsFolder } from "./made-runs";

const folder = runsFolder();
afterAll(() => rmSync(folder, { recursive: true }));

const a = makeRun(folder, "a", { clips: true });
const b = makeRun(folder, "b", { change: { seed: 7 }, steps: 900, accuracies: [0.6], end: null });

describe("a run as its folder tells it", () => {
  it("has a cost, a state and its newest evaluation", () => {
    const { cost, state, evaluation } = read(a);
    expect(state).toBe("finished");
    // 20 steps of 100 ms, a minute from start to end.
    expect(cost).toMatchObject({ stepsDone: 20, images: 320, trainingMs: 2000, wallMs: 60_000, engine: "onnx cpu" });
    expect(evaluation?.report.rows[0]?.tasks[0]?.linearProbe).toBe(0.5);
  });

  it.each([
    [{ reason: "complete" }, "finished", null],
    [{ reason: "failed", message: "The loss is NaN." }, "failed", "The loss is NaN."],
    [{ reason: "SIGINT" }, "stopped", "by SIGINT"],
    [null, "interrupted", "ended without a word, or its machine stopped"],
  ])("%j is %s", (end, state, message) => {
    expect(read(makeRun(folder, `ends/${state}`, { end }))).toMatchObject({ state, message });
  });

  it("is found below a folder, and named by it where names are the same", () => {
    const found = findRuns(folder);
    expect(found).toContain(a);
    expect(found).toContain(join(folder, "ends", "failed"));
    expect(labelled([read(a), read(b)]).map(({ label }) => label)).toEqual(["quickstart (a)", "quickstart (b)"]);
  });

  it("is read from log.csv where log.jsonl is gone", () => {
    const at = makeRun(folder, "csv");
    rmSync(join(at, "log.jsonl"));
    const rows = ["1,0,0.50000,20.0,12.0,80", "1,1,0.25000,20.0,12.0,90", "1,2,0.2"];
    writeFileSync(join(at, "log.csv"), [csvHeader, ...rows].join("\n"));
    expect(read(at).steps).toEqual([
      { step: 1, epoch: 1, loss: 0.5, timeMs: 80 },
      { step: 2, epoch: 1, loss: 0.25, timeMs: 90 },
    ]);
  });
});

describe("curves", () => {
  const { charts, once } = chartsOf([read(a), read(b)]);

  it("are of everything that was logged more than once", () => {
    expect(charts.map((chart) => chart.title)).toEqual([
      "loss",
      "learning rate",
      "weight decay",
      "EMA momentum",
      "gradient norm",
      "images per second",
      "count: linear probe",
      "count: k-NN",
      "RankMe",
      "feature spread",
    ]);
    expect(once).toEqual([]);
    expect(chartsOf([read(b)]).once).toContain("RankMe");
  });

  it("are means over spans where there are many steps, and keep the last one", () => {
    const loss = charts[0];
    // 900 steps in spans of 3, and 20 single ones.
    expect(loss?.hint).toBe("means of up to 3 logged steps");
    const [first, second] = loss?.series ?? [];
    expect(first?.y.filter((value) => value !== null)).toHaveLength(20);
    expect(second?.y.filter((value) => value !== null)).toHaveLength(300);
    expect(second?.y[loss?.x.indexOf(3) ?? -1]).toBeCloseTo((0.5 + 0.25 + 0.5 / 3) / 3, 5);
    expect(loss?.x.at(-1)).toBe(900);
  });

  it("of a gradient norm only where it was logged", () => {
    expect(charts.find(({ title }) => title === "gradient norm")?.series.map(({ group }) => group)).toEqual([0]);
  });
});

describe("tables", () => {
  it("hold the evaluations of all runs", () => {
    const rows = evaluationTable([read(a), read(b)])?.rows.map(({ cells }) => cells.map(({ text }) => text));
    expect(rows?.slice(0, 2)).toEqual([
      ["quickstart", "target encoder", "20", "50.0", "40.0", "17.3", "0.40"],
      ["quickstart", "raw pixels (16×16)", "20", "30.0", "20.0", "", ""],
    ]);
    expect(evaluationTable([read(makeRun(folder, "unevaluated", { accuracies: [] }))])).toBeNull();
  });

  it("begin with the fields that differ", () => {
    const { rows } = fieldsTable([read(a), read(b)]);
    expect(rows.filter(({ isMarked }) => isMarked).map(({ cells }) => cells.map(({ by }) => by))).toEqual([
      ["seed", 0, 7],
    ]);
    expect(rows.some(({ cells }) => cells[0]?.text === "encoder.depth")).toBe(true);
  });

  it("say how far a run is", () => {
    const [row] = costTable([read(a)]).rows;
    expect(row?.cells.map(({ text }) => text)).toContain(`20 of ${experiment.schedule.steps}`);
  });
});

describe("in the terminal", () => {
  const plain = { colour: false };

  it("runs are listed, shown and compared", () => {
    const both = labelled([read(a), read(b)]);
    expect(runsText(both, plain)).toMatch(/finished +20\/\d+ +50\.0/);
    expect(runText(read(a), plain)).toContain("raw pixels (16×16)");
    expect(comparisonText(both, plain)).toMatch(/seed +0 +7/);
    expect(comparisonText(labelled([read(a), read(a)]), plain)).toContain("runs of the same experiment");
  });
});

describe("a report", () => {
  const written = async (runs: readonly string[], out: string | null = null) => {
    const reported = await reportRuns({ runs, out, root: ".", images: 0 });
    if (!reported.ok) throw new Error(reported.diagnostics.map(({ code }) => code).join());
    return { ...reported, html: readFileSync(reported.file, "utf8") };
  };
  const codesOf = async (runs: readonly string[], out: string | null = null) => {
    const reported = await reportRuns({ runs, out, root: ".", images: 0 });
    return (reported.ok ? reported.warnings : reported.diagnostics).map(({ code, file }) => [code, file]);
  };

  it("lies in the folder of its run, or around several, and takes the place of an older one", async () => {
    expect((await written([a])).file).toBe(join(a, "report.html"));
    expect((await written([a])).file).toBe(join(a, "report.html"));
    expect((await written([a, b])).file).toBe(join(folder, "report.html"));
  });

  it("needs no network and allows no script but its own", async () => {
    const { html } = await written([a, b]);
    expect(html.replaceAll(/href="(#|data:image)[^"]*"/g, "")).not.toMatch(
      /(src|href)=|url\(|@import|https?:\/\/(?!github\.com\/leeoniya\/uPlot)/,
    );
    expect(html).toMatch(/Content-Security-Policy" content="default-src &#x27;none&#x27;; style-src &#x27;sha256-/);
  });

  it("keeps the text of a stranger text", async () => {
    const hostile = '</script><script>alert(1)</script><img src=x onerror="alert(2)">';
    const message = `${hostile}\u001b[31m`;
    const at = makeRun(folder, "<script>", {
      change: { runDirectory: hostile },
      end: { reason: "failed", message },
    });
    const { html } = await written([at, a]);
    expect(html.match(/<script/g)).toHaveLength(2);
    expect(html.match(/<\/script/g)).toHaveLength(2);
    expect(html).not.toContain("<img");
    expect(html).not.toContain("\u001b");
    expect(html).toContain("quickstart (&lt;script&gt;)");
    expect(runsText([read(at)], { colour: false })).not.toContain("\u001b");
  });

  it("says what is wrong, where", async () => {
    mkdirSync(join(folder, "empty"));
    const bare = makeRun(folder, "bare");
    writeFileSync(join(bare, "log.jsonl"), "");
    const torn = makeRun(folder, "torn", { tail: '{"event":"step","step":2' });
    const foreign = makeRun(folder, "foreign");
    writeFileSync(join(foreign, "experiment.json"), JSON.stringify({ ...experiment, encoder: { dim: 3 } }));
    const other = makeRun(folder, "other", { change: { encoder: { ...experiment.encoder, dim: 48 } } });
    const inTheWay = join(folder, "mine.html");
    writeFileSync(inTheWay, "<p>mine</p>");
    expect(await codesOf([join(folder, "empty")])).toEqual([["E470", join(folder, "empty")]]);
    expect(await codesOf([join(folder, "nowhere"), foreign])).toEqual([
      ["E470", join(folder, "nowhere")],
      ["E470", foreign],
    ]);
    expect(await codesOf([bare])).toEqual([["E471", bare]]);
    expect(existsSync(join(bare, "report.html"))).toBe(false);
    expect(await codesOf([torn])).toEqual([["W305", torn]]);
    expect(await codesOf([a, other])).toEqual([["W306", null]]);
    expect(await codesOf([a], inTheWay)).toEqual([["E472", inTheWay]]);
    expect(readFileSync(inTheWay, "utf8")).toBe("<p>mine</p>");
    await expect(
      reportRuns({ runs: [a], out: join(folder, "no", "such.html"), root: ".", images: 0 }),
    ).rejects.toMatchObject({
      code: "R142",
    });
  });
});
