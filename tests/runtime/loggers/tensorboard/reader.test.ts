/**
 * TensorBoard itself reads what a trainer writes: scalars, images and histograms, and no step twice after a resume.
 * `IJEPA_PYTHON` names a Python with `tensorboard`, else `python3`.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { featureSpreads } from "../../../../runtime/loggers/feature-spreads";
import { pngEncoder } from "../../../../runtime/loggers/png";
import { openTensorboard } from "../../../../runtime/loggers/tensorboard/tensorboard";
import { stepEvent } from "../step-event";

const python = process.env.IJEPA_PYTHON ?? "python3";
const has = spawnSync(python, ["-c", "import tensorboard"]).status === 0;
if (!has) console.log("Python's tensorboard is not here (IJEPA_PYTHON): that it reads event files is not tested.");

const script = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "images": 0, "histograms": 0, "tensors": 0})
events.Reload()
tags = events.Tags()
def png(image):
    return image.encoded_image_string[:4].hex()
print(json.dumps({
    "scalars": {tag: [[e.step, e.value] for e in events.Scalars(tag)] for tag in tags["scalars"]},
    "images": {tag: [[e.step, e.width, e.height, png(e)] for e in events.Images(tag)] for tag in tags["images"]},
    "histograms": {tag: [[e.step, e.histogram_value.num, e.histogram_value.min, e.histogram_value.max] for e in events.Histograms(tag)] for tag in tags["histograms"]},
}))
`;

describe.skipIf(!has)("TensorBoard", () => {
  it("reads the events of a run that was stopped and went on", async () => {
    const directory = mkdtempSync(join(tmpdir(), "ijepa-tensorboard-"));
    const open = (stepsDone: number) =>
      openTensorboard({
        directory,
        stepsDone,
        note: () => {},
        encode: pngEncoder(),
        now: () => 1.5e12 + 1000 * stepsDone,
      });
    const first = open(0);
    for (const step of [1, 2, 3, 4, 5]) first.event(stepEvent(step));
    await first.picture?.(1, { name: "masks", width: 6, height: 4, data: new Uint8Array(72) });
    first.spread?.(5, { name: "weights/encoder", values: Float32Array.of(0, 1, 2) });
    const second = open(3);
    for (const step of [4, 5, 6]) second.event(stepEvent(step));
    const features = { images: 3, dimension: 2, values: Float32Array.of(3, 4, 0, 1, 6, 8) };
    featureSpreads({ spread: second.spread ?? null })?.(6, features);
    second.spread?.(6, { name: "weights/encoder", values: Float32Array.of(0, 1, 2, 3) });
    const { stdout, stderr } = spawnSync(python, ["-c", script, join(directory, "tensorboard")], { encoding: "utf8" });
    expect(stdout, stderr).not.toBe("");
    const read = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
    const steps = [1, 2, 3, 4, 5, 6];
    expect(read.scalars["train/loss"]).toEqual(steps.map((step) => [step, Math.fround(0.5 / step)]));
    expect(read.scalars["train/gradientNorm"]).toEqual(steps.map((step) => [step, 2 * step]));
    expect(read.images).toEqual({ masks: [[1, 6, 4, "89504e47"]] });
    expect(read.histograms).toEqual({
      "weights/encoder": [[6, 4, 0, 3]],
      "features/std": [[6, 2, expect.closeTo(Math.sqrt(6), 6), expect.closeTo(Math.sqrt(74 / 9), 6)]],
      "features/norm": [[6, 3, 1, 10]],
    });
  }, 60_000);
});
