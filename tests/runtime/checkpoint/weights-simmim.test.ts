/**
 * SimMIM from the files of others, with the head. `simmim_one_block-model` is what transformers saved of the ViTForMaskedImageModeling
 * whose run simmim_one_block records: the recording tells every weight by our names.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { officialTensors, toOfficial } from "../../../runtime/checkpoint/official";
import { readSafetensors, type TensorToWrite, writeSafetensors } from "../../../runtime/checkpoint/safetensors";
import { loadWeights } from "../../../runtime/checkpoint/weights";
import type { TrainerProgram } from "../../../runtime/experiment";
import type { Trace } from "../../../runtime/replay/trace";
import { importWeights } from "../../../tools/import/weights";
import { evaluateReplay } from "../../support/generated";
import { compiledTraceAt } from "../../support/replay";

const golden = (name: string): string => fileURLToPath(new URL(`../../golden/transformers/${name}`, import.meta.url));
const model = golden("simmim_one_block-model");
const folder = mkdtempSync(join(tmpdir(), "ijepa-weights-simmim-"));
let program: TrainerProgram;
let trace: Trace;
beforeAll(async () => {
  const compiled = await compiledTraceAt(golden("simmim_one_block.safetensors"));
  trace = compiled.trace;
  program = await evaluateReplay(compiled.files);
});
afterAll(async () => {
  await trace.close();
  rmSync(folder, { recursive: true });
});

/** By official name, as a trace has them. */
async function load(path: string, objective = "simmim") {
  const { parameters } = program;
  const state = new Map<string, Float32Array>();
  const write = async (at: string, values: Float32Array) => void state.set(at, values);
  const { notes } = await loadWeights({ path, parameters, objective, averages: false, write });
  const weights = officialTensors(parameters, false).flatMap(({ name, statePath, parameter }) => {
    const values = state.get(statePath);
    return values === undefined ? [] : [[name, toOfficial(parameter, values)] as const];
  });
  return { weights: new Map(weights), notes };
}

async function expectAll(weights: ReadonlyMap<string, Float32Array>) {
  const names = [...trace.weights.header.tensors.keys()].filter(
    (name) => name.startsWith("init.") && !name.endsWith("pos_embed"),
  );
  expect([...weights.keys()].sort()).toEqual(names.map((name) => name.slice(5)).sort());
  expect(names).toContain("init.head.proj.weight");
  for (const name of names) expect(weights.get(name.slice(5)), name).toEqual((await trace.weights.read(name)).values);
}

/** The file with its tensors by other names, or without some. */
async function renamed(to: string, nameOf: (name: string) => string | null): Promise<string> {
  const { tensors } = await readSafetensors(join(model, "model.safetensors"));
  const path = join(folder, `${to}.safetensors`);
  const list = [...tensors].flatMap(([name, { shape, values }]): readonly TensorToWrite[] => {
    const own = nameOf(name);
    if (own === null || !(values instanceof Float32Array)) return [];
    return [{ name: own, dtype: "F32", shape, values: () => values }];
  });
  await writeSafetensors(path, { metadata: {}, tensors: list });
  return path;
}

it("a ViTForMaskedImageModeling gives encoder, mask token and head, to the bit", async () => {
  const { weights, notes } = await load(model);
  await expectAll(weights);
  expect(notes).toEqual([]);
});

it("is the same by way of ijepa import", async () => {
  const out = join(folder, "imported.safetensors");
  expect((await importWeights(model, out)).notes).toEqual(["21 tensors of encoder, head"]);
  await expectAll((await load(out)).weights);
});

it("without a head says so, on the way in and where a training begins", async () => {
  const path = await renamed("bare", (name) => (name.startsWith("decoder.") ? null : name));
  const out = join(folder, "bare-imported.safetensors");
  expect((await importWeights(path, out)).notes.join("\n")).toMatch(
    /^19 tensors of target_encoder\nnothing behind the encoder is in it \(predictor, decoder or head\)/m,
  );
  for (const each of [path, out]) {
    const { weights, notes } = await load(each);
    expect([...weights.keys()].filter((name) => name.startsWith("head."))).toEqual([]);
    expect(notes.join("\n")).toMatch(/has no head; it begins with drawn weights/);
  }
});

it("an objective with another head takes the encoder alone, and says so", async () => {
  const out = join(folder, "for-data2vec.safetensors");
  await importWeights(model, out);
  for (const path of [model, out]) {
    const { weights, notes } = await load(path, "data2vec");
    expect([...weights.keys()].filter((name) => !name.startsWith("encoder."))).toEqual([]);
    expect(notes.join("\n")).toMatch(/has the head of objective simmim, which is another: it begins with drawn/);
  }
});
