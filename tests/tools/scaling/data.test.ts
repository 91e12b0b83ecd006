/** What `ijepa inspect` says of the cores that images need. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type DataSpeedRecord, imagesPerCoreSecond } from "../../../bench/data-record";
import { build } from "../../../compiler/build";
import { loadSpec } from "../../../compiler/spec/load";
import { factsOf } from "../../../compiler/step/facts";
import { dataNeeds, dataNeedsText, measuredCore } from "../../../tools/scaling/data";

describe("the cores that images need", () => {
  it("are of what was measured, rounded down", () => {
    const record: DataSpeedRecord = JSON.parse(
      readFileSync(new URL("../../../docs/data-speed.json", import.meta.url), "utf8"),
    );
    expect(measuredCore.imagesPerSecond).toBe(10 * Math.floor(imagesPerCoreSecond(record, "ijepa") / 10));
    expect(measuredCore.image).toBe(`${record.images.width}×${record.images.height} JPEG`);
    expect(measuredCore.size).toBe(record.size);
  });

  const needsOf = (file: string, stepMs: number) => {
    const loaded = loadSpec(file);
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
    const { plan, step } = build(loaded);
    return dataNeeds(factsOf(step, plan), plan.experiment, { card: "H100", mfu: 0.3, stepSeconds: stepMs / 1000 });
  };

  it("follow from the step of a card", () => {
    const needs = needsOf("experiments/official/in1k_vith14_ep300.json", 1600);
    if (needs === null) throw new Error("images of a folder are decoded");
    // 2048 images, in 16 parts, in 1.6 s.
    expect(needs).toMatchObject({ imagesPerSecond: 1280, coresPerCard: 1280 / measuredCore.imagesPerSecond });
    expect(dataNeedsText(needs)).toMatch(/^Cores for images: one H100 SXM as measured takes 1280 images\/s; /);
  });

  it("are none where scenes are rendered", () => {
    expect(needsOf("experiments/quickstart.json", 100)).toBeNull();
  });
});
