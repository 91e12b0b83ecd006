/**
 * Masked autoencoders from the files of others and from runs of other objectives. `mae_pixels-model` is what transformers saved
 * of the ViTMAEForPreTraining whose run mae_pixels records: the recording tells every weight by our names.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { officialTensors, toOfficial } from "../../../runtime/checkpoint/official";
import { openSafetensors, type TensorToWrite, writeSafetensors } from "../../../runtime/checkpoint/safetensors";
import { loadWeights } from "../../../runtime/checkpoint/weights";
import { openWeights } from "../../../runtime/checkpoint/weights-file";
import { UserError } from "../../../runtime/errors";
import type { TrainerProgram } from "../../../runtime/experiment";
import { tablesOf } from "../../../runtime/loop/checkpoints";
import type { Trace } from "../../../runtime/replay/trace";
import { importWeights } from "../../../tools/import/weights";
import { evaluateReplay } from "../../support/generated";
import { compiledTraceAt } from "../../support/replay";
import { parameters as ofIJepa } from "./fixture";

const golden = (name: string): string => fileURLToPath(new URL(`../../golden/transformers/${name}`, import.meta.url));
const model = golden("mae_pixels-model");
const folder = mkdtempSync(join(tmpdir(), "ijepa-weights-mae-"));
let program: TrainerProgram;
let trace: Trace;
beforeAll(async () => {
  const compiled = await compiledTraceAt(golden("mae_pixels.safetensors"));
  trace = compiled.trace;
  program = await evaluateReplay(compiled.files);
});
afterAll(async () => {
  await trace.close();
  rmSync(folder, { recursive: true });
});

/** By official name, as a trace has them. */
async function load(path: string, { parameters } = program, averages = false) {
  const state = new Map<string, Float32Array>();
  const { notes } = await loadWeights({
    ...{ path, parameters, averages, positions: averages ? [] : tablesOf(program) },
    write: async (statePath, values) => void state.set(statePath, values),
  });
  const weights = officialTensors(parameters, averages).flatMap(({ name, statePath, parameter }) => {
    const values = state.get(statePath);
    return values === undefined ? [] : [[name, toOfficial(parameter, values)] as const];
  });
  return { weights: new Map(weights), notes };
}

interface Written {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** The weights of a file by its own names, for files that are made of it. */
async function tensorsOf(path: string): Promise<Map<string, Written>> {
  const file = await openSafetensors(path);
  const tensors = new Map<string, Written>();
  for (const [name, { shape }] of file.header.tensors) {
    tensors.set(name, { shape, values: await file.readFloats(name, shape) });
  }
  await file.close();
  return tensors;
}

async function write(name: string, tensors: ReadonlyMap<string, Written>, metadata = {}): Promise<string> {
  const path = join(folder, `${name}.safetensors`);
  const list = [...tensors].map(
    ([name, { shape, values }]): TensorToWrite => ({ name, dtype: "F32", shape, values: () => values }),
  );
  await writeSafetensors(path, { metadata, tensors: list });
  return path;
}

const ofModel = () => tensorsOf(join(model, "model.safetensors"));

async function expectAllOf(weights: ReadonlyMap<string, Float32Array>, wanted: (name: string) => boolean) {
  const names = [...trace.weights.header.tensors.keys()].filter(
    (name) => name.startsWith("init.") && !name.endsWith("pos_embed") && wanted(name.slice(5)),
  );
  expect([...weights.keys()].sort()).toEqual(names.map((name) => name.slice(5)).sort());
  for (const name of names) {
    const { values } = await trace.weights.read(name);
    expect(weights.get(name.slice(5)), name).toEqual(values);
  }
}

describe("a ViTMAEForPreTraining of Hugging Face", () => {
  it("gives class token, patches, encoder and decoder, to the bit", async () => {
    const { weights, notes } = await load(model);
    await expectAllOf(weights, () => true);
    expect(notes).toEqual([]);
  });

  it("is the same under the names of released files", async () => {
    const released = [...(await ofModel())].map(
      ([name, tensor]) => [name.replace("decoder_encoder.layer", "decoder_layers"), tensor] as const,
    );
    const { weights, notes } = await load(await write("released", new Map(released)));
    await expectAllOf(weights, () => true);
    expect(notes).toEqual([]);
  });

  it("is the same by way of ijepa import", async () => {
    const out = join(folder, "imported.safetensors");
    const { notes } = await importWeights(model, out);
    expect(notes).toEqual(["38 tensors of encoder, decoder"]);
    const { weights } = await load(out);
    await expectAllOf(weights, () => true);
  });

  it("without its decoder begins with a drawn one, and says so", async () => {
    const vit = [...(await ofModel())].flatMap(([name, tensor]) =>
      name.startsWith("vit.") ? [[name.slice(4), tensor] as const] : [],
    );
    const { weights, notes } = await load(await write("vit", new Map(vit)));
    await expectAllOf(weights, (name) => name.startsWith("encoder."));
    expect(notes.join("\n")).toMatch(/has no decoder; it begins with drawn weights/);
  });

  it("whose positions were learnt begins with the fixed ones, and says so", async () => {
    const tensors = await ofModel();
    const table = tensors.get("vit.embeddings.position_embeddings");
    table?.values.fill(0.25);
    const { weights, notes } = await load(await write("learnt", tensors));
    expect(notes.join("\n")).toMatch(/other positions than the fixed ones here: encoder\.pos_embed is left out/);
    // What the class token gets of its own position is part of it here.
    const token = tensors.get("vit.embeddings.cls_token")?.values.map((value) => Math.fround(value + 0.25));
    expect(weights.get("encoder.cls_token")).toEqual(token);
  });
});

/** The names of the paper's own code, which timm shares but for the decoder; its last layer is in the order of Hugging Face's. */
async function inTheirNames(): Promise<Map<string, Written>> {
  const { weights, close } = await openWeights(model);
  const theirs = new Map<string, Written>();
  for (const [network, tensors] of weights) {
    for (const [name, { shape, read }] of tensors) {
      const isLast = network === "decoder" && name.startsWith("decoder_pred");
      const hf = isLast ? (await ofModel()).get(`decoder.${name}`) : undefined;
      theirs.set(name, hf ?? { shape, values: await read() });
    }
  }
  await close();
  return theirs;
}

describe("a vision transformer with a class token under timm's names", () => {
  it("gives the decoder too where it is a masked autoencoder", async () => {
    const { weights, notes } = await load(await write("paper", await inTheirNames()));
    await expectAllOf(weights, () => true);
    expect(notes).toEqual([]);
  });

  it("without a decoder leaves out its head, and says so", async () => {
    const encoder = [...(await inTheirNames())].filter(([name]) => !/^(decoder|mask_token)/.test(name));
    const head = { shape: [2, 12], values: new Float32Array(24) };
    const { weights, notes } = await load(await write("timm", new Map([...encoder, ["head.weight", head]])));
    await expectAllOf(weights, (name) => name.startsWith("encoder."));
    expect(notes.join("\n")).toMatch(/has head\.weight, which the encoder here has no place for: left out/);
  });
});

describe("files that do not fit are refused before a weight is written", () => {
  const changed = (name: string, shape: readonly number[]) => async (): Promise<string> => {
    const tensors = await ofModel();
    tensors.set(name, { shape, values: new Float32Array(shape.reduce((product, size) => product * size, 1)) });
    return write("changed", tensors);
  };
  const without = (pattern: RegExp) => async (): Promise<string> =>
    write("without", new Map([...(await ofModel())].filter(([name]) => !pattern.test(name))));
  it.each<readonly [what: string, path: () => Promise<string>, says: RegExp]>([
    [
      "another width of the decoder",
      changed("decoder.decoder_embed.weight", [24, 12]),
      /R171.*decoder\.decoder_embed\.weight is \[24, 12\], but \[20, 12\] is needed.*the network behind the encoder/,
    ],
    [
      "another patch",
      changed("vit.embeddings.patch_embeddings.projection.weight", [12, 3, 4, 4]),
      /R171.*encoder\.patch_embed\.proj\.weight is \[12, 3, 4, 4\], but \[12, 3, 2, 2\] is needed/,
    ],
    [
      "a decoder that lacks its keys",
      without(/decoder.*key\.weight/),
      /R171.*decoder\.decoder_blocks\.0\.attn\.qkv\.weight is not there/,
    ],
    [
      "no class token",
      without(/cls_token/),
      /R171.*encoder\.cls_token is not there.*set encoder\.classToken of the experiment to false, and compile again/,
    ],
  ])("%s", async (_, path, says) => {
    const written: string[] = [];
    const error: unknown = await loadWeights({
      path: await path(),
      parameters: program.parameters,
      averages: false,
      write: async (statePath) => void written.push(statePath),
    }).catch((thrown: unknown) => thrown);
    if (!(error instanceof UserError)) throw new Error(`not refused, or not for the user: ${error}`);
    expect(`${error.code} ${error.message}`).toMatch(says);
    expect(written).toEqual([]);
  });
});

describe("between objectives", () => {
  /** A checkpoint of all weights of these parameters, numbered. */
  const checkpoint = (name: string, parameters: TrainerProgram["parameters"], objective: string, averages: boolean) => {
    const tensors = officialTensors(parameters, averages).map(({ name, shape }, number) => {
      const values = new Float32Array(shape.reduce((product, size) => product * size, 1)).fill(number);
      return [name, { shape, values }] as const;
    });
    return write(name, new Map(tensors), { experiment: JSON.stringify({ objective }) });
  };

  it("I-JEPA begins with the encoder of a masked autoencoder, without its class token and decoder", async () => {
    const [token, ...others] = program.parameters.filter(({ path }) => path.startsWith("encoder."));
    expect(token?.officialName).toBe("cls_token");
    const path = await checkpoint("mae", program.parameters, "mae", false);
    const { weights, notes } = await load(path, { ...program, parameters: others }, true);
    for (const name of ["encoder.norm.weight", "target_encoder.norm.weight"]) {
      expect(weights.get(name), name).toEqual(new Float32Array(12).fill(weights.get("encoder.norm.weight")?.[0] ?? -1));
    }
    expect(notes.join("\n")).toMatch(
      /no target encoder; it begins as a copy.*\n.*has a decoder, which is not trained here: left out\n.*has cls_token, which the encoder here has no place for: left out/,
    );
  });

  it("a masked autoencoder begins with the target encoder of I-JEPA", async () => {
    const path = await checkpoint("ijepa", ofIJepa, "ijepa", true);
    const encoder = ofIJepa.filter(({ path: own }) => own.startsWith("encoder."));
    const { weights, notes } = await load(path, { ...program, parameters: encoder }, false);
    const all = officialTensors(ofIJepa, true).map(({ name }) => name);
    expect(weights.get("encoder.blocks.0.attn.qkv.bias")?.[0]).toBe(
      all.indexOf("target_encoder.blocks.0.attn.qkv.bias"),
    );
    expect(notes.join("\n")).toMatch(
      /has two encoders; its target encoder is taken\n.*has a predictor, which is not trained here/,
    );
  });

  it("of another shape is refused with the name of what was trained", async () => {
    const path = await checkpoint("other", ofIJepa, "ijepa", true);
    await expect(load(path)).rejects.toMatchObject({
      code: "R171",
      message: expect.stringMatching(/is of another model, trained by objective ijepa: its encoder\./),
    });
  });
});
