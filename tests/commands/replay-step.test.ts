/** `ijepa replay-step`: a step of a real run, met again to the bit, and compared with another engine. */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { modulePath } from "../../compiler/bundle/module-path";
import { readSafetensors, type TensorToWrite, writeSafetensors } from "../../runtime/checkpoint/safetensors";
import type { IJepaExperiment } from "../../runtime/experiment";
import { sampleSet } from "../../runtime/masks/sampler";
import { ijepa } from "../support/command";

const folder = mkdtempSync(join(tmpdir(), "ijepa-replay-step-"));
afterAll(() => rmSync(folder, { recursive: true }));

const base = {
  image: { size: 32 },
  encoder: { dim: 24, depth: 2, heads: 3, patch: 8 },
  data: { source: "shapes", trainImages: 64, sceneSize: 32 },
  optimization: { epochs: 4, globalBatch: 8 },
  evaluation: { trainImages: 32, testImages: 32 },
  checkpoint: { keepEveryEpochs: 2 },
  hardware: { threads: 1, workers: 1 },
};
const predicting = {
  predictor: { dim: 12, depth: 1 },
  masking: { sampler: "unbiased", minKeep: 1, targets: { count: 2, scale: [0.2, 0.3] }, context: { tokens: 6 } },
};
/** `other` has all that a trace of the official code has not: stochastic depth, another loss, micro-batches, clipping. */
const specs = {
  plain: predicting,
  other: {
    ...predicting,
    loss: "mse",
    encoder: { dim: 24, depth: 2, heads: 3, patch: 8, dropPath: 0.2 },
    optimization: { epochs: 4, globalBatch: 8, accumulation: 2, clipNorm: 1, adamw: { beta2: 0.95 } },
  },
  mae: {
    objective: "mae",
    encoder: { dim: 24, depth: 2, heads: 3, patch: 8, dropPath: 0.2, classToken: true },
    decoder: { dim: 12, depth: 1, heads: 3 },
    targets: { normalize: true },
  },
  simmim: { objective: "simmim", maskUnit: 1 },
  /** Three sets of masks, on two contexts. */
  sets: {
    ...predicting,
    maskSets: 3,
    encoder: { dim: 24, depth: 2, heads: 3, patch: 8, dropPath: 0.2 },
    masking: { ...predicting.masking, context: { tokens: 6, count: 2 } },
    optimization: { epochs: 4, globalBatch: 8, accumulation: 2 },
  },
  data2vec: { objective: "data2vec", maskSets: 2, targets: { blocks: 2 }, optimization: { epochs: 2, globalBatch: 8 } },
};
type Name = keyof typeof specs;
const specOf = (name: Name): string => join(folder, `${name}.json`);
const runOf = (name: Name): string => join(folder, "runs", name);

beforeAll(() => {
  const files = Object.entries(specs).map(([name, changes]) => {
    writeFileSync(join(folder, `${name}.json`), JSON.stringify({ ...base, ...changes }));
    return `${name}.json`;
  });
  // All at once: one program for the type check, one start.
  execFileSync(process.execPath, [resolve("bin/ijepa.js"), "compile", ...files], { cwd: folder });
  for (const name of Object.keys(specs)) {
    const flags = ["--run-dir", join("runs", name), "--log-every", "1", "--quiet"];
    const env = { ...process.env, NODE_PATH: modulePath() };
    execFileSync(process.execPath, [`generated/${name}/train.js`, ...flags], { cwd: folder, env });
  }
}, 600_000);

describe("ijepa replay-step", () => {
  const ofIJepa = ["grad.encoder.blocks.0.attn.qkv.weight", "after1.target_encoder.norm.bias"];
  const ofMae = ["fwd.target_masked", "fwd.latent", "fwd.pred", "fwd.loss", "grad.encoder.cls_token"];
  it.each<readonly [name: Name, step: number, from: RegExp, tensors: readonly string[]]>([
    ["plain", 3, /from the weights as they were drawn/, ["fwd.pred", "fwd.loss_smooth_l1", "fwd.loss_mse", ...ofIJepa]],
    ["plain", 21, /plain-ep2\.safetensors, after step 16/, ofIJepa],
    ["other", 18, /other-ep2\.safetensors, after step 16/, ofIJepa],
    ["mae", 18, /mae-ep2\.safetensors, after step 16/, [...ofMae, "seq.loss", "after1.decoder.mask_token"]],
    ["simmim", 3, /from the weights as they were drawn/, ["fwd.pred", "fwd.loss", "after1.head.proj.weight"]],
    ["sets", 18, /sets-ep2\.safetensors, after step 16/, ofIJepa],
    ["data2vec", 3, /from the weights as they were drawn/, ["fwd.target_masked", "fwd.pred", "fwd.loss"]],
  ])(
    "%s, step %d: all hold on the float64 reference, and the log is met to the bit",
    async (name, step, from, tensors) => {
      const { code, out, err } = await ijepa(
        "replay-step",
        runOf(name),
        "--step",
        String(step),
        "--spec",
        specOf(name),
        "--all",
      );
      expect(code, `${out}\n${err}`).toBe(0);
      expect(out).toMatch(from);
      expect(out).toMatch(/The \d+ losses that the log has of the way are the same to the bit\./);
      expect(out).toMatch(/^All \d+ tensors hold\. The furthest off is /m);
      for (const tensor of tensors) expect(out).toContain(`  ${tensor} `);
    },
  );

  it("writes a trace that `ijepa replay` goes through, and finds a number that is off", async () => {
    const trace = join(folder, "step.safetensors");
    const args = ["replay-step", runOf("plain"), "--step", "20", "--spec", specOf("plain"), "--out", trace];
    expect((await ijepa(...args)).code).toBe(0);
    // Of the official form: what tests/golden/official has, by name.
    const { tensors } = await readSafetensors(trace);
    for (const name of [
      "init.encoder.norm.weight",
      "step0.images",
      "step0.mask_enc.0",
      "fwd.pred",
      "seq.loss_smooth_l1",
    ]) {
      expect([...tensors.keys()]).toContain(name);
    }
    expect((await ijepa("replay", trace, "--brief")).out).toMatch(/^All \d+ tensors hold\./m);
    const refused = await ijepa(...args);
    expect(refused).toMatchObject({ code: 2, err: expect.stringMatching(/^R168: .*is there already/) });

    const changed = [...tensors].map(([name, { dtype, shape, values }]): TensorToWrite => {
      if (dtype !== "F32" && dtype !== "F64" && dtype !== "I32") throw new Error(`${dtype} is not in a trace`);
      if (name === "grad.encoder.norm.weight" && values instanceof Float32Array) values[0] = (values[0] ?? 0) + 0.01;
      return { name, dtype, shape, values: () => values };
    });
    await writeSafetensors(trace, { metadata: {}, tensors: changed });
    const { code, out } = await ijepa("replay", trace, "--brief");
    expect(code).toBe(1);
    expect([...out.matchAll(/^ {2}(\S+) .*DIFFERS$/gm)].map(([, tensor]) => tensor)).toEqual([
      "grad.encoder.norm.weight",
    ]);
  });

  it("has the masks of every set, as they were drawn", async () => {
    const trace = join(folder, "sets.safetensors");
    expect(
      (await ijepa("replay-step", runOf("sets"), "--step", "3", "--spec", specOf("sets"), "--out", trace)).code,
    ).toBe(0);
    const { masks, seed }: IJepaExperiment = JSON.parse(readFileSync(join(runOf("sets"), "experiment.json"), "utf8"));
    expect(masks.setCount).toBe(3);
    const { tensors } = await readSafetensors(trace);
    const facts: unknown = JSON.parse(readFileSync(trace.replace("safetensors", "json"), "utf8"));
    expect(facts).toMatchObject({ config: { mask: { nsets: 3, nenc: 2, npred: 2 } } });
    // Two micro-batches of four images; each set of both is drawn by itself here.
    for (const [microBatch, firstImage] of [0, 4].entries()) {
      for (let set = 0; set < 3; set++) {
        const drawn = sampleSet(masks, { seed, step: 2, images: 4, firstImage, set });
        const { C = 0, T = 0 } = { ...drawn.lengths };
        const rowsOf = (name: string, length: number): readonly number[] => {
          const values = tensors.get(`rank${microBatch}.step0.${name}`)?.values;
          return Array.from(values ?? [], Number).slice(set * 4 * length, (set + 1) * 4 * length);
        };
        for (const context of [0, 1]) {
          const want = [...drawn.contextIndex.slice(context * 4 * C, (context + 1) * 4 * C)];
          expect(rowsOf(`mask_enc.${context}`, C)).toEqual(want);
        }
        for (const target of [0, 1]) {
          const want = [0, 1, 2, 3].flatMap((image) => {
            const from = (image * 2 + target) * T;
            return [...drawn.targetIndex.slice(from, from + T)];
          });
          expect(rowsOf(`mask_pred.${target}`, T)).toEqual(want);
        }
      }
    }
    expect((await ijepa("replay", trace, "--brief")).out).toMatch(/^All \d+ tensors hold\./m);
  });

  it("goes back to an older checkpoint where the newest before the step is damaged", async () => {
    const run = join(folder, "damaged");
    cpSync(runOf("plain"), run, { recursive: true });
    truncateSync(join(run, "plain-ep2.safetensors"), 1000);
    const { code, out } = await ijepa("replay-step", run, "--step", "18", "--spec", specOf("plain"));
    expect(code).toBe(0);
    expect(out).toMatch(/from the weights as they were drawn/);
  });

  it.each<readonly [what: string, args: readonly string[], want: RegExp]>([
    [
      "a step beyond the run",
      [runOf("plain"), "--step", "33", "--spec", specOf("plain")],
      /^R163: .*the run has 32 steps.*Steps 1 to 32/,
    ],
    [
      "no step",
      [runOf("plain"), "--step", "0", "--spec", specOf("plain")],
      /^--step takes a whole number of 1 or more; found "0"/,
    ],
    ["no run", [join(folder, "none"), "--step", "1"], /^R141: .*none is no run folder/],
    ["no spec", [runOf("plain"), "--step", "1"], /^R165: .*Name it with --spec/],
    ["the spec of another run", [runOf("plain"), "--step", "1", "--spec", specOf("other")], /^R166: /],
    [
      "an engine that is none",
      [runOf("plain"), "--step", "1", "--spec", specOf("plain"), "--engine", "x"],
      /^--engine takes /,
    ],
    [
      "a precision that is none",
      [runOf("plain"), "--step", "1", "--spec", specOf("plain"), "--engine", "onnx", "--precision", "bf16"],
      /^--precision takes fp32/,
    ],
  ])("%s", async (_, args, want) => {
    const { code, err } = await ijepa("replay-step", ...args);
    expect(err).toMatch(want);
    expect(err).not.toMatch(/fault of ijepa/);
    expect(code).toBe(2);
  });

  it("a run that began with the weights of others cannot be drawn anew", async () => {
    const run = join(folder, "others");
    cpSync(runOf("plain"), run, { recursive: true });
    const log = join(run, "log.jsonl");
    const [start = "", ...rest] = readFileSync(log, "utf8").split("\n");
    writeFileSync(log, [JSON.stringify({ ...JSON.parse(start), initFrom: "x.pth" }), ...rest].join("\n"));
    const { code, err } = await ijepa("replay-step", run, "--step", "3", "--spec", specOf("plain"));
    expect(code).toBe(2);
    expect(err).toMatch(/R163: .*no whole checkpoint from before it is kept.*Steps 17 to 32/);
    expect(existsSync(run)).toBe(true);
  });
});
