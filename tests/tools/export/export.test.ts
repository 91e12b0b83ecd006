/** What every format writes, read back here; python.test.ts and transformers-js.test.ts load it elsewhere. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fromOfficial } from "../../../runtime/checkpoint/official";
import { readHeader, readSafetensors, writeSafetensors } from "../../../runtime/checkpoint/safetensors";
import { loadWeights } from "../../../runtime/checkpoint/weights";
import { openWeights } from "../../../runtime/checkpoint/weights-file";
import { UserError } from "../../../runtime/errors";
import { type ExportOptions, exportRun } from "../../../tools/export/export";
import { type FormatName, formatNames } from "../../../tools/export/format";
import { timmModel } from "../../../tools/export/formats/timm";
import { writeEncoderModel } from "../../../tools/export/onnx/model";
import { ExportRefused } from "../../../tools/export/refused";
import { openSource } from "../../../tools/export/source";
import { furthest, makeRun, type SmallRun, simmimSpec, steps } from "../../support/exported";

const folder = mkdtempSync(join(tmpdir(), "ijepa-export-"));
const from = join(folder, "run");
let run: SmallRun;
beforeAll(async () => {
  run = await makeRun(from);
});
afterAll(() => rmSync(folder, { recursive: true }));

const exported = (format: FormatName, more: Partial<ExportOptions> = {}) => {
  const options = { from, format, encoder: "target", precision: "fp32", images: null } as const;
  return exportRun({ ...options, out: join(folder, `out-${format}`), ...more });
};

async function features(model: string, pixels: Float32Array): Promise<Float32Array> {
  const session = await InferenceSession.create(model);
  const images = new Tensor("float32", pixels, [pixels.length / 1728, 3, 24, 24]);
  const output = (await session.run({ pixel_values: images })).last_hidden_state;
  await session.release();
  expect(output?.dims).toEqual([pixels.length / 1728, 36, 32]);
  return output?.data as Float32Array;
}

/** Who refused, and with which code. */
async function refusal(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof ExportRefused) return error.problem.code;
    if (error instanceof UserError) return error.code;
    throw error;
  }
  return "nothing";
}

describe("files", () => {
  const wanted: { readonly [F in FormatName]: readonly string[] } = {
    safetensors: ["encoder.safetensors"],
    official: ["small-latest.pth.tar"],
    hf: ["config.json", "model.safetensors", "preprocessor_config.json"],
    timm: ["config.json", "model.safetensors"],
    onnx: ["model.onnx"],
    "transformers.js": ["config.json", "onnx/model.onnx", "preprocessor_config.json"],
  };
  test.each(formatNames)("%s", async (format) => {
    const made = await exported(format);
    const files = readdirSync(made.folder, { recursive: true, encoding: "utf8" })
      .filter((name) => statSync(join(made.folder, name)).isFile())
      .sort();
    const always = ["README.md", "experiment.json", "ijepa-export.json"];
    expect(files).toEqual([...always, ...wanted[format]].sort());
    const card = readFileSync(join(made.folder, "README.md"), "utf8");
    for (const line of made.loading.lines) expect(card).toContain(line);
    expect(card).toContain("target encoder");
    expect(card).toContain(`| trained | ${steps} of 8 steps, 1 of 2 epochs |`);
    expect(card).toContain("64 rendered scenes");
    expect(card).toContain("80 images were seen. About");
    expect(card).toContain("## Licence");
    // Again, the same bytes in the same place.
    const before = files.map((name) => readFileSync(join(made.folder, name)).toString("latin1"));
    await exported(format);
    expect(files.map((name) => readFileSync(join(made.folder, name)).toString("latin1"))).toEqual(before);
  });
});

describe("SimMIM", () => {
  const at = join(folder, "simmim");
  let simmim: SmallRun;
  beforeAll(async () => {
    simmim = await makeRun(at, undefined, simmimSpec);
  });

  test("leaves whole, by the names of ViTForMaskedImageModeling", async () => {
    const made = await exported("hf", { from: at, out: join(folder, "simmim-hf") });
    const { tensors } = await readSafetensors(join(made.folder, "model.safetensors"));
    const both = (layer: string): string[] => [`${layer}.weight`, `${layer}.bias`];
    const block = ["layernorm_before", "layernorm_after", "intermediate.dense", "output.dense"];
    const attention = ["attention.query", "attention.key", "attention.value", "output.dense"];
    const inner = [...block, ...attention.map((name) => `attention.${name}`)];
    expect([...tensors.keys()].sort()).toEqual(
      [
        ...["cls_token", "mask_token", "position_embeddings"].map((name) => `vit.embeddings.${name}`),
        ...both("vit.embeddings.patch_embeddings.projection"),
        ...[0, 1].flatMap((i) => inner.flatMap((name) => both(`vit.encoder.layer.${i}.${name}`))),
        ...both("vit.layernorm"),
        ...both("decoder.0"),
      ].sort(),
    );
    // A convolution over single tokens; values of a patch are in its order, (channel, y, x).
    expect(tensors.get("decoder.0.weight")?.shape).toEqual([48, 32, 1, 1]);
    const bias = await simmim.read("weights.head.proj.bias");
    expect(tensors.get("decoder.0.bias")?.values).toEqual(bias);
    expect(tensors.get("vit.embeddings.mask_token")?.shape).toEqual([1, 1, 32]);
    // The class token has no position.
    const table = tensors.get("vit.embeddings.position_embeddings");
    expect(table?.shape).toEqual([1, 37, 32]);
    expect(table?.values.slice(0, 32).every((value) => value === 0)).toBe(true);
    const config = JSON.parse(readFileSync(join(made.folder, "config.json"), "utf8"));
    expect(config).toMatchObject({ model_type: "vit", encoder_stride: 4, patch_size: 4, image_size: 24 });
    expect(config.architectures).toEqual(["ViTForMaskedImageModeling"]);
    expect(made.loading.lines[1]).toContain(").vit.eval()");
  });

  test.each(["safetensors", "onnx"] as const)("its encoder leaves as %s", async (format) => {
    const made = await exported(format, { from: at, out: join(folder, `simmim-${format}`) });
    expect(readFileSync(join(made.folder, "README.md"), "utf8")).toContain("a [SimMIM]");
  });

  test.each(["timm", "official", "transformers.js"] as const)("nothing of it leaves as %s", async (format) => {
    expect(await refusal(exported(format, { from: at, out: join(folder, `simmim-${format}`) }))).toBe("E449");
  });
});

describe("weights come back", () => {
  test.each(["safetensors", "official", "hf", "timm"] as const)("from %s", async (format) => {
    const made = await exported(format);
    const file = { safetensors: "encoder.safetensors", official: "small-latest.pth.tar", hf: "", timm: "" }[format];
    const state = new Map<string, Float32Array>();
    await loadWeights({
      path: join(made.folder, file),
      parameters: run.parameters,
      write: async (path, values) => void state.set(path, values),
    });
    const targets = [...state].filter(([path]) => path.startsWith("target."));
    expect(targets.length).toBe(2 * 12 + 4);
    for (const [path, values] of targets) expect(values, path).toEqual(await run.read(path));
    if (format === "official") {
      for (const [path, values] of state) expect(values, path).toEqual(await run.read(path));
    } else {
      const { leftOver, close } = await openWeights(join(made.folder, file));
      await close();
      expect(leftOver).toEqual([]);
    }
  });

  test("of the context encoder, where it is asked for", async () => {
    const made = await exported("safetensors", { encoder: "context", out: join(folder, "context") });
    const { tensors, metadata } = await readSafetensors(join(made.folder, "encoder.safetensors"));
    expect(metadata.get("encoder")).toBe("context");
    const name = "blocks.1.mlp.fc2.weight";
    const parameter = run.parameters.find((one) => one.path === `encoder.${name}`);
    const values = tensors.get(name)?.values;
    if (parameter === undefined || !(values instanceof Float32Array)) throw new Error("no weight");
    expect(fromOfficial(parameter, values)).toEqual(await run.read(`weights.encoder.${name}`));
  });

  test("Hugging Face's folder has query, key and value apart", async () => {
    const { tensors } = await readHeader(join((await exported("hf")).folder, "model.safetensors"));
    expect(tensors.get("encoder.layer.1.attention.attention.key.weight")?.shape).toEqual([32, 32]);
    expect(tensors.size).toBe(3 + 2 * 16 + 2);
    // Queries are the first third of the rows, keys the second (reference.md §3).
    const file = join((await exported("hf")).folder, "model.safetensors");
    const split = (await readSafetensors(file)).tensors;
    const bias = await run.read("target.blocks.1.attn.qkv.bias");
    for (const [third, name] of ["query", "key", "value"].entries()) {
      const part = split.get(`encoder.layer.1.attention.attention.${name}.bias`)?.values;
      expect(part, name).toEqual(bias.slice(32 * third, 32 * (third + 1)));
    }
  });
});

describe("ONNX", () => {
  test.each([1, 3])("gives our patch features of %i images", async (images) => {
    const pixels = run.pixels(images);
    const made = await exported("onnx");
    const off = furthest(await features(join(made.folder, "model.onnx"), pixels), await run.encode(pixels, "target"));
    expect(off).toBeLessThan(2e-5);
  });

  test("of the context encoder, which is another one", async () => {
    const pixels = run.pixels(2);
    const made = await exported("onnx", { encoder: "context", out: join(folder, "onnx-context") });
    const got = await features(join(made.folder, "model.onnx"), pixels);
    expect(furthest(got, await run.encode(pixels, "weights.encoder"))).toBeLessThan(2e-5);
    expect(furthest(got, await run.encode(pixels, "target"))).toBeGreaterThan(0.1);
  });

  test("with its weights in a file beside it", async () => {
    const opened = await openSource(from, "target");
    if (!opened.ok) throw new Error(opened.problem.what);
    const path = join(folder, "large.onnx");
    const { weightsBeside } = await writeEncoderModel(opened.source, { path, precision: "fp32", mostInside: 1000 });
    await opened.source.close();
    expect(weightsBeside).toBe(true);
    expect(statSync(path).size).toBeLessThan(20_000);
    const pixels = run.pixels(2);
    expect(furthest(await features(path, pixels), await run.encode(pixels, "target"))).toBeLessThan(2e-5);
  });

  test.each([
    ["fp16", 2.1, 0.02],
    ["int8", 3, 0.4],
  ] as const)(
    "in %s it is smaller, says what that costs, and fp32 stays beside it",
    async (precision, smaller, most) => {
      const exact = await exported("onnx");
      const made = await exported("onnx", { precision });
      expect(made.notes.join("\n")).toMatch(/On 32 test images of the run, patch features differ from fp32 by \d/);
      const sizes = ["", `_${precision}`].map((suffix) => statSync(join(made.folder, `model${suffix}.onnx`)).size);
      expect((sizes[0] ?? 0) / (sizes[1] ?? 1)).toBeGreaterThan(smaller * 0.7);
      const pixels = run.pixels(2);
      const off = furthest(
        await features(join(made.folder, `model_${precision}.onnx`), pixels),
        await features(join(exact.folder, "model.onnx"), pixels),
      );
      expect(off).toBeGreaterThan(0);
      expect(off).toBeLessThan(most);
    },
  );

  test("the loss can be measured on other images, and needs some", async () => {
    const none = join(folder, "no-images");
    mkdirSync(none);
    expect(await refusal(exported("onnx", { precision: "fp16", images: none, out: join(folder, "x1") }))).toMatch(
      /^R13/,
    );
    expect(existsSync(join(folder, "x1"))).toBe(false);
  });
});

test("timm's names of known sizes, and arguments for others", () => {
  const sized = (encoder: typeof run.experiment.encoder, patch: number, side: number) => {
    const image = { ...run.experiment.image, patch, height: side, width: side };
    return timmModel({ ...run.experiment, encoder, image });
  };
  const huge = { dim: 1280, depth: 32, heads: 16, hidden: 5120 };
  expect(sized(huge, 14, 224)).toEqual({ architecture: "vit_huge_patch14_gap_224", args: null });
  expect(sized(huge, 16, 448)).toEqual({ architecture: "vit_huge_patch16_gap_448", args: null });
  const giant = { dim: 1408, depth: 40, heads: 16, hidden: 6144 };
  expect(sized(giant, 16, 224)).toEqual({ architecture: "vit_giant_patch16_gap_224", args: null });
  // timm's vit_base_patch16_gap_224 has 16 heads, which is another model.
  const base = { dim: 768, depth: 12, heads: 12, hidden: 3072 };
  expect(sized(base, 16, 224).args).toMatchObject({ embed_dim: 768, num_heads: 12 });
  const { args } = sized(giant, 14, 224);
  expect(Math.floor(1408 * Number(args?.mlp_ratio))).toBe(6144);
  expect(timmModel(run.experiment).args).toMatchObject({ img_size: 24, patch_size: 4, embed_dim: 32, mlp_ratio: 2.5 });
});

describe("refused", () => {
  const out = () => mkdtempSync(join(folder, "out-"));

  test("what is no run, has no checkpoint, or is not there", async () => {
    const empty = out();
    expect(await refusal(exported("hf", { from: empty }))).toBe("E450");
    writeFileSync(join(empty, "experiment.json"), readFileSync(join(from, "experiment.json")));
    expect(await refusal(exported("hf", { from: empty }))).toBe("E451");
    writeFileSync(join(empty, "small-latest.safetensors"), "torn");
    expect(await refusal(exported("hf", { from: empty }))).toBe("E451");
    expect(await refusal(exported("hf", { from: join(empty, "small-latest.safetensors") }))).toBe("R140");
    expect(await refusal(exported("hf", { from: join(folder, "absent") }))).toBe("R141");
  });

  test("an export, which is no checkpoint", async () => {
    const made = await exported("safetensors");
    expect(await refusal(exported("hf", { from: join(made.folder, "encoder.safetensors") }))).toBe("R145");
  });

  test("a folder with other files, which stay; an export in another format; a file", async () => {
    const taken = out();
    writeFileSync(join(taken, "mine.txt"), "mine");
    expect(await refusal(exported("hf", { out: taken }))).toBe("E454");
    expect(readdirSync(taken)).toEqual(["mine.txt"]);
    expect(await refusal(exported("hf", { out: join(taken, "mine.txt") }))).toBe("E454");
    expect(await refusal(exported("hf", { out: (await exported("timm")).folder }))).toBe("E454");
  });

  test("NaN, and what was exported before stays", async () => {
    const bad = join(folder, "bad");
    await makeRun(bad);
    const made = await exported("hf", { from: bad, out: join(folder, "kept") });
    const card = readFileSync(join(made.folder, "README.md"), "utf8");
    const checkpoint = join(bad, "small-latest.safetensors");
    // A trainer does not save NaN, but other programs do: whole, and under checksums that are right.
    const { metadata, tensors } = await readSafetensors(checkpoint);
    const bias = tensors.get("target_encoder.norm.bias")?.values;
    if (bias instanceof Float32Array) bias[3] = Number.NaN;
    await writeSafetensors(checkpoint, {
      metadata: Object.fromEntries(metadata),
      tensors: [...tensors].map(([name, { shape, values }]) => ({ name, dtype: "F32", shape, values: () => values })),
    });
    expect(await refusal(exported("hf", { from: bad, out: join(folder, "kept") }))).toBe("E455");
    expect(readFileSync(join(made.folder, "README.md"), "utf8")).toBe(card);
    expect(await refusal(exported("official", { from: bad, out: join(folder, "torn") }))).toBe("E455");
    expect(readdirSync(folder).filter((name) => name.startsWith(".") || name === "torn")).toEqual([]);
  });

  test("files that a person put beside an export stay, those of older weights go", async () => {
    const place = join(folder, "beside");
    await exported("onnx", { out: place });
    await exported("onnx", { out: place, precision: "int8" });
    writeFileSync(join(place, "notes.txt"), "mine");
    await exported("onnx", { out: place, encoder: "context" });
    const files = readdirSync(place).sort();
    expect(files).toEqual(["README.md", "experiment.json", "ijepa-export.json", "model.onnx", "notes.txt"]);
  });
});
