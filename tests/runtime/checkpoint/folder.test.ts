import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { saveCheckpoint } from "../../../runtime/checkpoint/checkpoint";
import { keepLatest, keptPath, latestPath, listCheckpoints, resumeNewest } from "../../../runtime/checkpoint/folder";
import type { Experiment } from "../../../runtime/experiment";
import { experiment, parameters, readerOf, stateOf, tables } from "./fixture";

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "ijepa-folder-"));
});
afterEach(() => rm(directory, { recursive: true }));

const name = "tiny";
const saveLatest = (epoch: number) =>
  saveCheckpoint({
    path: latestPath(directory, name),
    experiment,
    parameters,
    read: readerOf(stateOf(parameters, epoch)),
    tables,
    progress: { step: epoch * 4, epoch, loss: 1 },
  });
/** Saves epochs 1, 2, … and keeps a copy of some. */
async function run(epochs: number, kept: readonly number[]): Promise<void> {
  for (let epoch = 1; epoch <= epochs; epoch++) {
    await saveLatest(epoch);
    if (kept.includes(epoch)) await keepLatest({ directory, name, as: epoch });
  }
}
const cut = async (path: string) => writeFile(path, (await readFile(path)).subarray(0, 3000));

async function resume(into: Experiment = experiment) {
  const warnings: string[] = [];
  const state = new Map<string, Float32Array>();
  const loaded = await resumeNewest({
    directory,
    name,
    experiment: into,
    parameters,
    write: async (path, values) => {
      state.set(path, values);
    },
    warn: (message) => warnings.push(message),
  });
  return { loaded, warnings, first: state.get("weights.encoder.patchEmbed.weight")?.[0] };
}

describe("kept copies", () => {
  test("stay as they were when the latest goes on", async () => {
    await run(1, [1]);
    const kept = await readFile(keptPath(directory, name, 1));
    await saveLatest(2);
    expect(await readFile(keptPath(directory, name, 1))).toEqual(kept);
    expect(await readFile(latestPath(directory, name))).not.toEqual(kept);
  });

  test("are replaced when an epoch is trained again, and leave nothing beside them", async () => {
    await run(2, [2]);
    await keepLatest({ directory, name, as: 2 });
    await run(2, [2]);
    expect((await readdir(directory)).sort()).toEqual(["tiny-ep2.safetensors", "tiny-latest.safetensors"]);
  });

  test("of nothing is an error", async () => {
    await expect(keepLatest({ directory, name, as: 1 })).rejects.toMatchObject({ code: "R142" });
  });
});

describe("listing", () => {
  test("the newest first, the latest before a copy of the same step, damaged last; other files are left out", async () => {
    await run(10, [1, 8, 9, 10]);
    await cut(keptPath(directory, name, 8));
    for (const other of ["tiny-ep.safetensors", "tiny-epx.safetensors", "other-latest.safetensors", "log.csv"]) {
      await writeFile(join(directory, other), "x");
    }
    const found = await listCheckpoints(directory, name);
    expect(found.map(({ path, keptEpoch }) => [basename(path), keptEpoch])).toEqual([
      ["tiny-latest.safetensors", null],
      ["tiny-ep10.safetensors", 10],
      ["tiny-ep9.safetensors", 9],
      ["tiny-ep1.safetensors", 1],
      ["tiny-ep8.safetensors", 8],
    ]);
    expect(found.map(({ metadata }) => metadata?.progress.step)).toEqual([40, 40, 36, 4, undefined]);
    expect(found[4]?.problem).toContain("tiny-ep8.safetensors");
  });

  test("a folder that is not there has none", async () => {
    expect(await listCheckpoints(join(directory, "no"), name)).toEqual([]);
  });

  test("a name with signs of a regular expression", async () => {
    await writeFile(join(directory, "a.b-ep1.safetensors"), "x");
    await writeFile(join(directory, "axb-ep1.safetensors"), "x");
    expect((await listCheckpoints(directory, "a.b")).map(({ path }) => basename(path))).toEqual([
      "a.b-ep1.safetensors",
    ]);
  });
});

describe("resume", () => {
  test("takes the best where nothing newer is whole", async () => {
    await run(2, [1]);
    await keepLatest({ directory, name, as: "best" });
    await saveLatest(3);
    await cut(latestPath(directory, name));
    const { loaded } = await resume();
    expect([basename(loaded?.path ?? ""), loaded?.progress.epoch]).toEqual(["tiny-best.safetensors", 2]);
  });

  test("takes the latest", async () => {
    await run(3, [1]);
    const { loaded, warnings, first } = await resume();
    expect(loaded?.progress.epoch).toBe(3);
    expect(loaded?.path).toBe(latestPath(directory, name));
    expect(first).toBe((3 + 1) / 16);
    expect(warnings).toEqual([]);
  });

  test("skips a damaged one, with a warning", async () => {
    await run(3, [1, 2]);
    await cut(latestPath(directory, name));
    const { loaded, warnings, first } = await resume();
    expect(loaded?.progress.epoch).toBe(2);
    expect(first).toBe((2 + 1) / 16);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain("tiny-latest.safetensors");
  });

  test("has nothing to do in an empty folder", async () => {
    expect((await resume()).loaded).toBeNull();
  });

  test("never starts again silently: all damaged is an error", async () => {
    await run(2, [1]);
    await cut(latestPath(directory, name));
    await cut(keptPath(directory, name, 1));
    await expect(resume()).rejects.toMatchObject({ code: "R148", message: expect.stringContaining("None of the 2") });
  });

  test("does not fall back to an older one where the spec differs", async () => {
    await run(2, [1]);
    await expect(resume({ ...experiment, specHash: "b", trainingHash: "b", seed: 9 })).rejects.toMatchObject({
      code: "R146",
    });
  });
});
