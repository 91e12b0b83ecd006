import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  loadCheckpoint,
  readCheckpointMetadata,
  runLengthFields,
  saveCheckpoint,
} from "../../../runtime/checkpoint/checkpoint";
import { readSafetensors, type TensorToWrite, writeSafetensors } from "../../../runtime/checkpoint/safetensors";
import type { IJepaExperiment } from "../../../runtime/experiment";
import { experiment, parameters, positions, readerOf, stateOf, tables } from "./fixture";

let folder = "";
let path = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ijepa-checkpoint-"));
  path = join(folder, "tiny-latest.safetensors");
});
afterEach(() => rm(folder, { recursive: true }));

const progress = { step: 12, epoch: 3, loss: 0.25 };
const save = (state = stateOf(parameters), at = progress) =>
  saveCheckpoint({ path, experiment, parameters, read: readerOf(state), tables, progress: at });

async function load(into: IJepaExperiment, mayDiffer?: readonly string[]) {
  const state = new Map<string, Float32Array>();
  const loaded = await loadCheckpoint({
    path,
    experiment: into,
    parameters,
    write: async (statePath, values) => {
      state.set(statePath, values);
    },
    ...(mayDiffer === undefined ? {} : { mayDiffer }),
  });
  return { ...loaded, state };
}

/** Writes the checkpoint again with some of it changed. */
async function tamper(change: {
  readonly tensors?: (tensors: TensorToWrite[]) => TensorToWrite[];
  readonly metadata?: (metadata: Record<string, string>) => Record<string, string>;
}): Promise<void> {
  const { tensors, metadata } = await readSafetensors(path);
  const list = [...tensors].map(([name, { shape, values }]): TensorToWrite => {
    return { name, dtype: "F32", shape, values: () => values };
  });
  await writeSafetensors(path, {
    tensors: (change.tensors ?? ((all) => all))(list),
    metadata: (change.metadata ?? ((all) => all))(Object.fromEntries(metadata)),
  });
}

describe("save and load", () => {
  test("gives back every tensor of the state, bit for bit, and how far it was", async () => {
    const state = stateOf(parameters);
    await save(state);
    const loaded = await load(experiment);
    expect(loaded.progress).toEqual(progress);
    expect(loaded.notes).toEqual([]);
    expect(new Map([...loaded.state].sort())).toEqual(new Map([...state].sort()));
  });

  test("the file has the official names and layout", async () => {
    const state = stateOf(parameters);
    await save(state);
    const { tensors, metadata } = await readSafetensors(path);
    expect(metadata.get("format")).toBe("pt");
    expect(tensors.get("encoder.pos_embed")?.shape).toEqual([1, 4, 8]);
    expect(tensors.get("target_encoder.pos_embed")?.values).toEqual(positions.encoder);
    expect(tensors.get("predictor.predictor_pos_embed")?.values).toEqual(positions.predictor);
    expect(tensors.get("encoder.patch_embed.proj.weight")?.shape).toEqual([8, 3, 4, 4]);
    const qkv = tensors.get("opt.v.encoder.blocks.0.attn.qkv.weight");
    expect(qkv?.shape).toEqual([24, 8]);
    // Row 1 of the official weight is column 1 of ours.
    expect(qkv?.values[8]).toBe(state.get("v.encoder.blocks.0.attn.qkv.weight")?.[1]);
  });

  test("metadata can be read alone", async () => {
    await save();
    const metadata = await readCheckpointMetadata(path);
    expect(metadata).toMatchObject({
      generatorVersion: "0.1.0",
      specHash: "a".repeat(64),
      seed: 7,
      name: "tiny",
      progress,
    });
    expect(metadata.constants.get("encoder.dim")).toBe("8");
  });

  test("a run without a loss yet", async () => {
    await save(stateOf(parameters), { step: 0, epoch: 0, loss: Number.NaN });
    expect((await load(experiment)).progress).toEqual({ step: 0, epoch: 0, loss: Number.NaN });
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])(
    "a state with %d is not saved over a good checkpoint",
    async (bad) => {
      await save();
      const before = await readFile(path);
      const state = stateOf(parameters);
      state.get("m.predictor.maskToken")?.set([bad], 2);
      await expect(save(state, { ...progress, step: 13 })).rejects.toMatchObject({
        code: "R147",
        message: expect.stringContaining("After step 13 the tensor opt.m.predictor.mask_token"),
      });
      expect(await readFile(path)).toEqual(before);
    },
  );
});

describe("a checkpoint of another spec", () => {
  const other = (change: Partial<IJepaExperiment>): IJepaExperiment => ({
    ...experiment,
    specHash: "b".repeat(64),
    trainingHash: "c".repeat(64),
    ...change,
  });
  const longer = other({
    optimizer: { ...experiment.optimizer, epochs: 20 },
    schedule: { ...experiment.schedule, steps: 80, curveSteps: 80, momentumSteps: 80 },
  });
  beforeEach(() => save());

  test("is refused, naming what differs", async () => {
    const wider = other({ encoder: { ...experiment.encoder, dim: 16 }, seed: 8 });
    await expect(load(wider)).rejects.toMatchObject({
      code: "R146",
      message: expect.stringMatching(
        /seed: 7 in the checkpoint, 8 here\n {2}encoder.dim: 8 in the checkpoint, 16 here/,
      ),
    });
  });

  test("is refused where only the run is longer, unless the trainer allows it", async () => {
    await expect(load(longer)).rejects.toMatchObject({ code: "R146" });
    const { progress: at, notes, state } = await load(longer, runLengthFields);
    expect(at.step).toBe(12);
    expect(state.size).toBe(18);
    expect(notes).toContain("optimizer.epochs: 10 in the checkpoint, 20 here");
  });

  test("is refused where more than the allowed differs", async () => {
    await expect(load({ ...longer, dropPath: 0.1 }, runLengthFields)).rejects.toThrow("dropPath: 0 in the checkpoint");
  });

  test("may then also have other threads, cadences and paths", async () => {
    const moved = { ...longer, name: "renamed", runDirectory: "runs/x", log: { ...experiment.log, logEverySteps: 9 } };
    expect((await load(moved, runLengthFields)).progress.step).toBe(12);
    await expect(load({ ...moved, specHash: "c", optimizer: experiment.optimizer })).rejects.toMatchObject({
      code: "R146",
    });
  });

  test("is refused where what differs is not among the constants, but in the code", async () => {
    await expect(load(other({}), runLengthFields)).rejects.toThrow("something in the code, such as the loss");
  });

  test("of the same spec but another generator is taken, with a note", async () => {
    const { notes } = await load({ ...experiment, generatorVersion: "0.2.0" });
    expect(notes).toEqual(['generatorVersion: "0.1.0" in the checkpoint, "0.2.0" here']);
  });

  test("that trains the same on more devices is taken, and what differs is said", async () => {
    const { trainingHash, optimizer, hardware } = experiment;
    const wider = { hardware: { ...hardware, gpus: 8 }, optimizer: { ...optimizer, deviceBatch: 1 } };
    const { notes, progress: at } = await load(other({ trainingHash, ...wider }));
    expect(at.step).toBe(12);
    expect(notes).toEqual([
      `optimizer.deviceBatch: ${optimizer.deviceBatch} in the checkpoint, 1 here`,
      "hardware.gpus: 1 in the checkpoint, 8 here",
    ]);
    await expect(load(other(wider))).rejects.toMatchObject({ code: "R146" });
  });

  test("is refused where the file does not tell what it is", async () => {
    await tamper({ metadata: ({ experiment: _, ...rest }) => rest });
    await expect(load(longer, runLengthFields)).rejects.toMatchObject({ code: "R146" });
    expect((await load(experiment)).progress.step).toBe(12);
  });
});

describe("a checkpoint of a trainer that was edited by hand", () => {
  const one = { ...experiment, editedCode: "1".repeat(64) };
  const two = { ...experiment, editedCode: "2".repeat(64) };
  const moved = { runDirectory: "runs/x", hardware: { ...experiment.hardware, threads: 3 } };

  test.each<[name: string, writes: IJepaExperiment, reads: IJepaExperiment, code: string | null]>([
    ["the same code", one, one, null],
    ["the same code with other places and threads", one, { ...one, ...moved }, null],
    ["code as compiled", one, experiment, "R172"],
    ["other edited code", one, two, "R172"],
    ["edited code from a run of code as compiled", experiment, one, "R172"],
    ["the same code with another constant, of the same spec", one, { ...one, seed: 8 }, "R146"],
  ])("%s", async (_, writes, reads, code) => {
    await saveCheckpoint({
      path,
      experiment: writes,
      parameters,
      read: readerOf(stateOf(parameters)),
      tables,
      progress,
    });
    const read = load(reads, runLengthFields).then(() => null);
    await (code === null ? expect(read).resolves.toBeNull() : expect(read).rejects.toMatchObject({ code }));
  });

  test("says so in its metadata", async () => {
    await saveCheckpoint({
      path,
      experiment: one,
      parameters,
      read: readerOf(stateOf(parameters)),
      tables,
      progress,
    });
    expect((await readCheckpointMetadata(path)).editedCode).toBe(one.editedCode);
    expect((await readSafetensors(path)).metadata.get("edited_code")).toBe(one.editedCode);
    await save();
    expect((await readCheckpointMetadata(path)).editedCode).toBeNull();
  });
});

describe("a file that does not fit writes nothing into the state", () => {
  test.each<[name: string, code: string, why: RegExp, change: Parameters<typeof tamper>[0]]>([
    [
      "a missing tensor",
      "R143",
      /no tensor opt.v.encoder.blocks.0.attn.qkv.bias\./,
      { tensors: (all) => all.filter(({ name }) => name !== "opt.v.encoder.blocks.0.attn.qkv.bias") },
    ],
    [
      "no optimizer state",
      "R143",
      /lacks 10 of the 18/,
      { tensors: (all) => all.filter(({ name }) => !name.startsWith("opt.")) },
    ],
    [
      "another shape",
      "R144",
      /predictor.mask_token is F32 \[4\], but F32 \[1, 1, 4\]/,
      { tensors: (all) => all.map((t) => (t.name === "predictor.mask_token" ? { ...t, shape: [4] } : t)) },
    ],
    [
      "integers",
      "R144",
      /is I32/,
      {
        tensors: (all) =>
          all.map((t) =>
            t.name === "predictor.mask_token" ? { ...t, dtype: "I32", values: () => new Int32Array(4) } : t,
          ),
      },
    ],
    ["no step", "R145", /no step/, { metadata: ({ step: _, ...rest }) => rest }],
    ["a broken step", "R145", /the step "12.5"/, { metadata: (all) => ({ ...all, step: "12.5" }) }],
    ["no metadata", "R145", /no ijepa_version/, { metadata: () => ({}) }],
  ])("%s", async (_, code, why, change) => {
    await save();
    await tamper(change);
    let writes = 0;
    const error = await loadCheckpoint({
      path,
      experiment,
      parameters,
      write: async () => {
        writes++;
      },
    }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "UserError", code });
    expect(String(error)).toMatch(why);
    expect(writes).toBe(0);
  });

  test("a file that is cut off", async () => {
    await save();
    const bytes = await readFile(path);
    await writeFile(path, bytes.subarray(0, bytes.length - 1));
    await expect(load(experiment)).rejects.toMatchObject({ code: "R140" });
  });
});
