import { describe, expect, it } from "vitest";
import { buildMaskPlan } from "../../../compiler/masks/strategies";
import { buildPlan } from "../../../compiler/plan/plan";
import { loadSpec } from "../../../compiler/spec/load";
import { experiment } from "../../../generated/quickstart/experiment";
import type { Experiment } from "../../../runtime/experiment";
import { maskSection } from "../../../tools/report/masks";
import { hasMasks } from "../../../tools/report/sections";

const count = (text: string, part: string): number => text.split(part).length - 1;
const folder = {
  kind: "folder",
  trainPath: "no/such/folder",
  validationPath: null,
  trainImages: 10,
  holdOut: 0.1,
  labels: false,
  maxBadShare: 0.01,
  exifRotation: false,
} as const;

describe("the picture of masks", async () => {
  const { masks } = experiment;
  const section = await maskSection({ experiment, root: ".", id: "m", of: null });
  const [first] = section.figures;

  it("has every program, the most frequent first, and both maps of coverage", () => {
    expect(section.figures).toHaveLength(masks.programs.length + 2);
    const most = masks.programs.reduce((a, b) => (b.probability > a.probability ? b : a));
    expect(first?.caption).toContain(`${most.contextTokens} context patches, 4 targets of`);
    expect(section.figures.at(-1)?.caption).toMatch(/^How often a patch is target: \d+/);
  });

  it("shows four images of the data, each with its blocks", () => {
    expect(count(section.definitions, "data:image/webp;base64,")).toBe(4);
    expect(count(first?.markup ?? "", "<use ")).toBe(4);
    expect(count(first?.markup ?? "", '<rect class="target')).toBe(16);
  });

  it("veils every patch that is not context", () => {
    const most = masks.programs.reduce((a, b) => (b.probability > a.probability ? b : a));
    const veiled = [...(first?.markup ?? "").matchAll(/class="veil[^"]*" d="([^"]*)"/g)].map(([, d = ""]) =>
      count(d, "M"),
    );
    const total = veiled.reduce((sum, patches) => sum + patches, 0);
    expect(total).toBe(4 * (masks.gridHeight * masks.gridWidth - most.contextTokens));
  });

  it.each([
    [
      { strategy: "block", targets: { scale: [0.4, 0.4], aspect: [1, 1] } },
      "39 context patches, one target of 5×5: 100.0 % of steps",
    ],
    [
      { strategy: "random", targets: { share: 0.6 } },
      "26 context patches, one target of 38 patches from anywhere: 100.0 % of steps",
    ],
    [{ strategy: "rasterized" }, "16 context patches, 3 targets of 4×4: 100.0 % of steps"],
  ] as const)("knows %j", async (strategy, caption) => {
    const settings = { ...strategy, grid: { height: 8, width: 8 } };
    const { figures, notes } = await maskSection({
      experiment: { ...experiment, data: folder, masks: buildMaskPlan(settings) },
      root: ".",
      id: "m",
      of: null,
    });
    expect(figures).toHaveLength(3);
    expect(figures[0]?.caption).toBe(caption);
    expect(notes[0]).toMatch(new RegExp(`^Drawn by ${strategy.strategy} masking with seed 0`));
  });

  it("of a masked autoencoder veils what is predicted, and leaves clear as many patches as are seen", async () => {
    const loaded = loadSpec("experiments/methods/mae.json");
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
    const { experiment: mae } = buildPlan({ spec: loaded.spec, specHash: "", generatorVersion: "" });
    const { figures, notes } = await maskSection({ experiment: mae, root: ".", id: "m", of: null });
    expect(figures.map(({ caption }) => caption)).toEqual(["16 visible and 48 masked patches, in every image"]);
    expect(notes[0]).toMatch(/^Drawn with seed 0, .*clear are the 16 patches that the encoder sees/);
    const veils = [...(figures[0]?.markup ?? "").matchAll(/class="veil" d="([^"]*)"/g)].map(([, d = ""]) => d);
    expect(veils.map((d) => count(d, "M"))).toEqual([48, 48, 48, 48]);
    expect(new Set(veils).size).toBe(4);
  });

  it("is left out where another version wrote less of the masks", () => {
    const loaded = loadSpec("experiments/methods/mae.json");
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
    const { experiment: mae } = buildPlan({ spec: loaded.spec, specHash: "", generatorVersion: "" });
    expect([mae, experiment].map(hasMasks)).toEqual([true, true]);
    const before: Experiment = JSON.parse(JSON.stringify(mae, (key, value) => (key === "unit" ? undefined : value)));
    expect(hasMasks(before)).toBe(false);
  });

  it("stands over blank squares where the images are not there, and says why", async () => {
    const { notes, definitions, figures } = await maskSection({
      experiment: { ...experiment, data: folder },
      root: ".",
      id: "m",
      of: "a <b>",
    });
    expect(definitions).toBe("");
    expect(notes.at(-1)).toMatch(/^Over no images: R130/);
    expect(count(figures[0]?.markup ?? "", 'class="blank"')).toBe(4);
  });
});
