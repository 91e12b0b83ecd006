import { describe, expect, it } from "vitest";
import { csvText } from "../../../../tools/sweep/results/csv";
import { htmlText } from "../../../../tools/sweep/results/html";
import { bestText, resultsText } from "../../../../tools/sweep/results/index";
import { jsonText } from "../../../../tools/sweep/results/json";
import { markdownText } from "../../../../tools/sweep/results/markdown";
import { madeResults, madeSweep } from "./made-sweep";

const golden = (name: string): string => new URL(`../../../golden/sweep/${name}`, import.meta.url).pathname;

/** Every state, a best group, one within noise and one that was stopped. */
const results = madeResults(
  madeSweep({
    name: "width",
    description: "How wide?",
    axes: { width: ["48", "96", "192"], patch: ["8"] },
    seeds: [0, 1],
  }),
  {
    0: { accuracies: [0.25], state: "stopped", message: "shape.linearProbe is 0.25 after epoch 1", rate: 300 },
    1: { accuracies: [], state: "failed", message: "The loss at step 3 is NaN.\nTraining stopped." },
    2: { accuracies: [0.35, 0.45] },
    3: { accuracies: [0.34, 0.475] },
    4: { accuracies: [0.36, 0.5], rate: 101.25 },
  },
);

/** Text of a stranger, in every place that takes text. */
const hostile =
  '"></title></script><script>alert(1)</script><img src=x onerror=alert(2)>{{data}}\u2028|`@you`\u001b[31m=1';
const attacked = madeResults(
  madeSweep({ name: "grid", description: hostile, axes: { [hostile]: [hostile, "=2+5"] }, seeds: [0] }),
  { 0: { accuracies: [0.5, 0.6], state: "failed", message: hostile }, 1: { accuracies: [0.5, 0.6] } },
);

describe("results as files", () => {
  it("as CSV", async () => {
    await expect(csvText(results)).toMatchFileSnapshot(golden("results.csv"));
  });

  it("as Markdown", async () => {
    await expect(markdownText(results)).toMatchFileSnapshot(golden("results.md"));
  });

  it("for a terminal", async () => {
    await expect(resultsText(results, { colour: false })).toMatchFileSnapshot(golden("results.txt"));
    expect(resultsText(results, { colour: true })).toContain("\u001b[32m★");
    expect(bestText(results)).toBe("best width-192-8: shape: linear probe 50.0 %");
  });

  it("as JSON that holds everything", () => {
    expect(JSON.parse(jsonText(results))).toEqual({ format: { name: "ijepa sweep results", version: 1 }, ...results });
  });

  it("never print what is no number", () => {
    for (const text of [csvText, markdownText, htmlText].map((write) => write(results))) {
      expect(text.replace(/<script>.*<\/script>/s, "")).not.toMatch(/\b(NaN(?!\.)|undefined|Infinity|null %)\b/);
    }
  });

  it("are there for a sweep without axes or runs", () => {
    const bare = madeResults(madeSweep({ axes: {}, seeds: [7] }), {});
    expect(csvText(bare)).toMatch(/^index,name,group,set:\/seed,seed,state,/);
    expect(resultsText(bare, { colour: false })).toContain("1 point, 1 waiting");
    expect(markdownText(bare)).toContain("| grid |");
    expect(htmlText(bare)).not.toContain('id="charts"');
    expect(bestText(bare)).toBeNull();
  });
});

describe("numbers in CSV", () => {
  it("are whole, and quoted cells follow RFC 4180", () => {
    const text = csvText(results);
    const rows = text.split("\r\n");
    expect(rows).toHaveLength(8);
    expect(text).toContain(",0.475,2,");
    expect(text).toContain('"The loss at step 3 is NaN.\nTraining stopped."');
  });

  it("never begin like a formula", () => {
    expect(csvText(attacked)).toContain(",'=2+5,");
    expect(csvText(attacked)).not.toMatch(/(^|,)"?[=+@]/m);
  });
});

describe("text of a stranger", () => {
  it("stays text in the page", () => {
    const html = htmlText(attacked);
    // The data and the script of the page, and no third.
    expect(html.match(/<script/g)).toHaveLength(2);
    expect(html.match(/<\/script/g)).toHaveLength(2);
    expect(html).not.toMatch(/<img/);
    expect(html).not.toContain("\u2028");
    expect(html.match(/<title>/g)).toHaveLength(1);
    const data = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(html)?.[1] ?? "";
    expect(JSON.parse(data).groups[0].label).toContain("</script><script>alert(1)");
  });

  it("stays text in Markdown and on a terminal", () => {
    const markdown = markdownText(attacked);
    expect(markdown).not.toMatch(/<(script|img)|@you/);
    const tables = markdown.split("\n\n").filter((block) => block.startsWith("| "));
    expect(tables).toHaveLength(2);
    for (const table of tables) {
      expect(new Set(table.split("\n").map((line) => line.split("|").length)).size).toBe(1);
    }
    for (const text of [markdown, resultsText(attacked, { colour: false })]) expect(text).not.toContain("\u001b");
  });
});

describe("the page", () => {
  const html = htmlText(results);

  it("needs no network and allows no script but its own", () => {
    expect(html).not.toMatch(/(src|href)=|url\(|@import|https?:\/\/(?!github\.com\/leeoniya\/uPlot)/);
    const policy = /Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1] ?? "";
    const signs: Readonly<Record<string, string>> = { "&#x27;": "'", "&#x3D;": "=" };
    const hash = "'sha256-[A-Za-z0-9+/]{43}='";
    expect(policy.replaceAll(/&#x..;/g, (sign) => signs[sign] ?? sign)).toMatch(
      new RegExp(`^default-src 'none'; style-src ${hash}; script-src ${hash}$`),
    );
  });

  it("has a curve for every seed that ran, and a mean for groups of more", () => {
    const data = JSON.parse(/id="data">(.*?)<\/script>/s.exec(html)?.[1] ?? "");
    const [first] = data.charts;
    expect(first).toMatchObject({ title: "shape: linear probe", unit: "%", x: [1, 2] });
    expect(
      first.series.map((one: { group: number; label: string; isMean: boolean; y: unknown }) => [
        data.groups[one.group].label,
        one.label,
        one.isMean,
        one.y,
      ]),
    ).toEqual([
      ["width 96, patch 8", "seed 1", false, [34, 47.5]],
      ["width 96, patch 8", "seed 0", false, [35, 45]],
      ["width 48, patch 8", "seed 0", true, [25, null]],
      ["width 96, patch 8", "mean of 2 seeds", true, [34.5, 46.25]],
      ["width 192, patch 8", "seed 0", true, [36, 50]],
    ]);
  });
});
