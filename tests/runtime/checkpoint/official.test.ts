import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fromOfficial, officialTensors, toOfficial, transpose } from "../../../runtime/checkpoint/official";
import { readHeader } from "../../../runtime/checkpoint/safetensors";
import type { Parameter } from "../../../runtime/experiment";
import { objectives } from "../../../runtime/objectives";
import { experiment, parameters } from "./fixture";

describe("names", () => {
  test("weights, targets of the encoder alone, and both moments", () => {
    expect(officialTensors(parameters).map(({ name, statePath }) => [name, statePath])).toEqual([
      ["encoder.patch_embed.proj.weight", "weights.encoder.patchEmbed.weight"],
      ["encoder.blocks.0.attn.qkv.weight", "weights.encoder.blocks.0.attn.qkv.weight"],
      ["encoder.blocks.0.attn.qkv.bias", "weights.encoder.blocks.0.attn.qkv.bias"],
      ["predictor.mask_token", "weights.predictor.maskToken"],
      ["predictor.predictor_embed.weight", "weights.predictor.embed.weight"],
      ["target_encoder.patch_embed.proj.weight", "target.patchEmbed.weight"],
      ["target_encoder.blocks.0.attn.qkv.weight", "target.blocks.0.attn.qkv.weight"],
      ["target_encoder.blocks.0.attn.qkv.bias", "target.blocks.0.attn.qkv.bias"],
      ["opt.m.encoder.patch_embed.proj.weight", "m.encoder.patchEmbed.weight"],
      ["opt.m.encoder.blocks.0.attn.qkv.weight", "m.encoder.blocks.0.attn.qkv.weight"],
      ["opt.m.encoder.blocks.0.attn.qkv.bias", "m.encoder.blocks.0.attn.qkv.bias"],
      ["opt.m.predictor.mask_token", "m.predictor.maskToken"],
      ["opt.m.predictor.predictor_embed.weight", "m.predictor.embed.weight"],
      ["opt.v.encoder.patch_embed.proj.weight", "v.encoder.patchEmbed.weight"],
      ["opt.v.encoder.blocks.0.attn.qkv.weight", "v.encoder.blocks.0.attn.qkv.weight"],
      ["opt.v.encoder.blocks.0.attn.qkv.bias", "v.encoder.blocks.0.attn.qkv.bias"],
      ["opt.v.predictor.mask_token", "v.predictor.maskToken"],
      ["opt.v.predictor.predictor_embed.weight", "v.predictor.embed.weight"],
    ]);
  });

  test("without a target encoder there is none, and whatever a network is called", () => {
    const head: Parameter = {
      officialShape: [8],
      shape: [8],
      transposed: false,
      init: { kind: "ones" },
      path: "head.norm.weight",
      officialName: "norm.weight",
    };
    expect(officialTensors([head], false).map(({ name, statePath }) => [name, statePath])).toEqual([
      ["head.norm.weight", "weights.head.norm.weight"],
      ["opt.m.head.norm.weight", "m.head.norm.weight"],
      ["opt.v.head.norm.weight", "v.head.norm.weight"],
    ]);
  });

  test("position embeddings have the shapes of the reference", () => {
    expect(objectives.ijepa.positions(experiment).map(({ name, shape }) => [name, shape])).toEqual([
      ["encoder.pos_embed", [1, 4, 8]],
      ["predictor.predictor_pos_embed", [1, 4, 4]],
      ["target_encoder.pos_embed", [1, 4, 8]],
    ]);
  });

  test("of an official model: the three state dicts, no tensor more or less", async () => {
    const golden = join(import.meta.dirname, "../../golden/official/step_odd_perturbed.safetensors");
    const after = [...(await readHeader(golden)).tensors].flatMap(([name, { shape }]) =>
      name.startsWith("after1.") ? [{ name: name.slice("after1.".length), shape }] : [],
    );
    const fixed = /(^|\.)(predictor_)?pos_embed$/;
    const official = after
      .filter(({ name }) => !name.startsWith("target_encoder.") && !fixed.test(name))
      .map(({ name, shape }): Parameter => {
        const [network = "", ...rest] = name.split(".");
        const officialName = rest.join(".");
        const transposed = shape.length > 1 && officialName !== "mask_token";
        const path = `${network}.${officialName}`;
        return {
          path,
          shape,
          officialName,
          officialShape: shape,
          transposed,
          init: { kind: "zeros" },
        };
      });
    const wide = { ...experiment, image: { ...experiment.image, gridHeight: 7, gridWidth: 7 } };
    const tables = objectives.ijepa.positions({
      ...wide,
      encoder: { ...wide.encoder, dim: 44 },
      predictor: { ...wide.predictor, dim: 20 },
    });
    const state = officialTensors(official).filter(({ name }) => !name.startsWith("opt."));
    const have = [...tables, ...state].map(({ name, shape }) => `${name} ${shape.join("×")}`).sort();
    expect(have).toEqual(after.map(({ name, shape }) => `${name} ${shape.join("×")}`).sort());
  });
});

describe("layout", () => {
  test("a linear weight [in 2, out 3] becomes [out 3, in 2]", () => {
    const parameter: Parameter = {
      path: "encoder.x",
      shape: [2, 3],
      officialName: "x",
      officialShape: [3, 2],
      transposed: true,
      init: { kind: "zeros" },
    };
    const ours = new Float32Array([1, 2, 3, 4, 5, 6]);
    const official = new Float32Array([1, 4, 2, 5, 3, 6]);
    expect(toOfficial(parameter, ours)).toEqual(official);
    expect(fromOfficial(parameter, official)).toEqual(ours);
    expect(() => toOfficial(parameter, new Float32Array(5))).toThrow("internal: encoder.x has 5 values, not [3, 2]");
  });

  test.each(parameters.map((parameter) => [parameter.path, parameter] as const))(
    "there and back: %s",
    (_, parameter) => {
      const size = parameter.shape.reduce((a, b) => a * b, 1);
      const values = new Float32Array(size).map((_, i) => i);
      expect(fromOfficial(parameter, toOfficial(parameter, values))).toEqual(values);
      if (parameter.transposed) expect(toOfficial(parameter, values)).not.toEqual(values);
    },
  );

  test("transpose of any size puts (r, c) at (c, r)", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 70 }), (rows, columns) => {
        const out = transpose(
          new Float32Array(rows * columns).map((_, i) => i),
          rows,
          columns,
        );
        for (let r = 0; r < rows; r++)
          for (let c = 0; c < columns; c++) if (out[c * rows + r] !== r * columns + c) return false;
        return true;
      }),
    );
  });
});
