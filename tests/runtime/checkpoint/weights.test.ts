/** Weights of other runs, of this project and of PyTorch. The PyTorch files are made by torch/golden/make.py. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { saveCheckpoint } from "../../../runtime/checkpoint/checkpoint";
import { transpose } from "../../../runtime/checkpoint/official";
import { writeSafetensors } from "../../../runtime/checkpoint/safetensors";
import { loadWeights } from "../../../runtime/checkpoint/weights";
import { UserError } from "../../../runtime/errors";
import { experiment, parameters, readerOf, stateOf, tables } from "./fixture";

const golden = (name: string): string => new URL(`./torch/golden/${name}`, import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), "ijepa-weights-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function load(path: string) {
  const state = new Map<string, Float32Array>();
  const write = async (statePath: string, values: Float32Array) => void state.set(statePath, values);
  const { notes } = await loadWeights({ path, parameters, write });
  return { state, notes };
}

const from = (start: number, size: number) => Float32Array.from({ length: size }, (_, i) => start + i);

/** What make.py counts up from `start`, in our layout. */
const encoder = (root: string, start: number): [string, Float32Array][] => [
  [`${root}patchEmbed.weight`, transpose(from(start, 384), 8, 48)],
  [`${root}blocks.0.attn.qkv.weight`, transpose(from(start + 384, 192), 24, 8)],
  [`${root}blocks.0.attn.qkv.bias`, from(start + 576, 24)],
];
const predictor: [string, Float32Array][] = [
  ["weights.predictor.maskToken", from(5000, 4)],
  ["weights.predictor.embed.weight", transpose(from(5004, 32), 4, 8)],
];

describe("weights of PyTorch", () => {
  it("takes the three networks of an official checkpoint, saved from several processes", async () => {
    const { state, notes } = await load(golden("official.pth.tar"));
    expect(state).toEqual(new Map([...encoder("weights.encoder.", 0), ...predictor, ...encoder("target.", 10000)]));
    expect(notes).toEqual([]);
  });

  it("takes a target encoder alone, in other number formats and strides", async () => {
    const { state, notes } = await load(golden("target-alone.pth"));
    const rounded = encoder("", 0).map(([path, values]): [string, Float32Array] => [
      path,
      path.startsWith("patch") ? values.map(bfloat16) : values,
    ]);
    const under = (root: string) => rounded.map(([path, values]): [string, Float32Array] => [root + path, values]);
    expect(state).toEqual(new Map([...under("weights.encoder."), ...under("target.")]));
    expect(notes.join("\n")).toMatch(/no encoder; its target encoder.*\n.*no predictor; it begins with drawn weights$/);
  });

  it("makes the target encoder a copy where there is none", async () => {
    const { state, notes } = await load(golden("encoder-alone.pth"));
    expect(state).toEqual(new Map([...encoder("weights.encoder.", 0), ...encoder("target.", 0)]));
    expect(notes.join("\n")).toMatch(/no predictor.*\n.*no target encoder; it begins as a copy of the encoder$/);
  });
});

/** The nearest number with 8 bits of mantissa, ties to even. */
function bfloat16(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer);
  const [word = 0] = bits;
  bits[0] = (word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000;
  return new Float32Array(bits.buffer)[0] ?? 0;
}

describe("weights of this project", () => {
  it("takes those of a checkpoint, not its moments", async () => {
    const path = join(folder, "run.safetensors");
    const written = stateOf(parameters);
    await saveCheckpoint({
      path,
      experiment,
      parameters,
      read: readerOf(written),
      tables,
      progress: { step: 3, epoch: 0, loss: 0.5 },
    });
    const { state, notes } = await load(path);
    expect(state).toEqual(new Map([...written].filter(([name]) => /^(weights|target)\./.test(name))));
    expect(notes).toEqual([]);
  });
});

describe("files that are refused", () => {
  const copy = (name: string, change: (bytes: Buffer) => Buffer): string => {
    const path = join(folder, name);
    writeFileSync(path, change(readFileSync(golden("official.pth.tar"))));
    return path;
  };
  const cases: readonly [what: string, path: () => string | Promise<string>, code: string, says: RegExp][] = [
    ["a pickle that would run a program", () => golden("evil.pth"), "R149", /the Python object (posix|os|nt)\.system,/],
    ["a whole module", () => golden("module.pth"), "R149", /the Python object torch\.nn\.modules\.linear\.Linear,/],
    ["a file of old PyTorch", () => golden("legacy.pth"), "R149", /no ZIP archive .*before 1\.6/],
    ["a list", () => golden("list.pth"), "R170", /neither the weights of an encoder nor/],
    ["no file", () => join(folder, "none.pth"), "R141", /none\.pth cannot be read: ENOENT|no such file/],
    ["half a file", () => copy("half.pth", (bytes) => bytes.subarray(0, 4000)), "R149", /no ZIP archive/],
    [
      "a file with another byte in its pickle",
      () =>
        copy("changed.pth", (bytes) =>
          Buffer.from(bytes.toString("latin1").replace("FloatStorage", "FloatStorbge"), "latin1"),
        ),
      "R149",
      /the Python object torch\.FloatStorbge/,
    ],
    [
      "another model",
      async () => {
        const path = join(folder, "other.safetensors");
        const values = () => new Float32Array(4 * 3 * 4 * 4);
        const tensors = [
          { name: "encoder.patch_embed.proj.weight", dtype: "F32", shape: [4, 3, 4, 4], values } as const,
        ];
        await writeSafetensors(path, { metadata: {}, tensors });
        return path;
      },
      "R171",
      /its encoder\.patch_embed\.proj\.weight is \[4, 3, 4, 4\], but \[8, 3, 4, 4\] is needed/,
    ],
    [
      "a model with fewer blocks",
      async () => {
        const path = join(folder, "fewer.safetensors");
        const values = () => new Float32Array(8 * 3 * 4 * 4);
        const tensors = [
          { name: "encoder.patch_embed.proj.weight", dtype: "F32", shape: [8, 3, 4, 4], values } as const,
        ];
        await writeSafetensors(path, { metadata: {}, tensors });
        return path;
      },
      "R171",
      /its encoder\.blocks\.0\.attn\.qkv\.weight is not there/,
    ],
  ];
  it.each(cases)("%s", async (_, path, code, says) => {
    const error: unknown = await load(await path()).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof UserError)) throw new Error(`not refused, or not for the user: ${error}`);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(says);
  });
});
