/**
 * The attentive probe: gradients against slopes, its training against PyTorch's in float64 (recorded; live where a Python has it,
 * `IJEPA_PYTHON`), and what it finds that a mean over patches does not.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Features } from "../../../runtime/evaluate/features";
import { linearProbe, prepareProbe } from "../../../runtime/evaluate/linear-probe";
import { type Matrix, matrix } from "../../../runtime/evaluate/matrix";
import { randomAt } from "../../../runtime/random/random";
import {
  type AttentiveProbe,
  emptyProbe,
  logitsOf,
  lossAndGradient,
  parametersOf,
} from "../../../tools/evaluate/attentive";
import { createTrainer, type PatchFeatures, probeAttention, scheduleAt } from "../../../tools/evaluate/attentive-probe";

const [images, patches, width, heads, classes] = [14, 9, 12, 3, 3];
const seed = 7;

function normal(purpose: string, count: number, std = 1): Float64Array {
  const values = new Float32Array(count);
  randomAt({ seed, purpose }).fillNormal(values, std);
  return Float64Array.from(values);
}

const drawn = Array.from(
  { length: images },
  (_, i): Matrix => ({ rows: patches, columns: width, values: normal(`patches.${i}`, patches * width) }),
);
const batch = { images, patches: (i: number) => drawn[i] ?? matrix(patches, width) };
const labels = Int32Array.from({ length: images }, (_, i) => (i * 7) % classes);

function probe(name: string): AttentiveProbe {
  const made = emptyProbe(classes, width);
  made.query.set(normal(`${name}.query`, width));
  made.key.values.set(normal(`${name}.key`, width * width, 0.4));
  made.value.values.set(normal(`${name}.value`, width * width, 0.4));
  made.head.values.set(normal(`${name}.head`, classes * width, 0.4));
  made.bias.set(normal(`${name}.bias`, classes));
  return made;
}

test("gradients are the slopes of the loss, of two probes that see the same images", () => {
  const probes = [probe("a"), probe("b")];
  const labelsOf = (p: number): Int32Array => (p === 0 ? labels : labels.map((label) => (label + 1) % classes));
  const found = lossAndGradient(probes, heads, batch, labelsOf);
  const lossOf = (p: number): number => lossAndGradient(probes, heads, batch, labelsOf)[p]?.loss ?? Number.NaN;
  const step = 1e-5;
  for (const [p, one] of probes.entries()) {
    const given = parametersOf(one);
    const slopes = parametersOf(found[p]?.gradient ?? one);
    for (const [t, values] of [...given.plain, ...given.decaying].entries()) {
      const gradient = [...slopes.plain, ...slopes.decaying][t];
      // A few of each tensor, without its padding.
      const used = values.length - (values.length % classes === 0 || t < 4 ? 0 : 1);
      for (let i = 0; i < Math.min(used, classes * width); i += Math.max(1, Math.floor(used / 9))) {
        if (t === 1 && i >= classes) continue;
        const before = values[i] ?? 0;
        values[i] = before + step;
        const above = lossOf(p);
        values[i] = before - step;
        const below = lossOf(p);
        values[i] = before;
        expect(gradient?.[i], `probe ${p}, tensor ${t}, number ${i}`).toBeCloseTo((above - below) / (2 * step), 7);
      }
    }
  }
});

const setting = { learningRate: 0.02, weightDecay: 0.1 };
const factors = Array.from({ length: 12 }, (_, i) => scheduleAt(i, 12));

function trained() {
  const trainer = createTrainer([{ probe: probe("a"), setting }], heads);
  const losses = factors.map((factor) => trainer.step(batch, () => labels, factor)[0] ?? Number.NaN);
  const bias = trainer.probes[0]?.bias ?? new Float64Array();
  const [found = matrix(0, 0)] = logitsOf(trainer.probes, heads, batch);
  const logits = Array.from({ length: images * classes }, (_, at) => {
    const k = at % classes;
    return (found.values[Math.floor(at / classes) * found.columns + k] ?? 0) + (bias[k] ?? 0);
  });
  return { losses, logits };
}

interface Recorded {
  readonly torch: string;
  readonly losses: readonly number[];
  readonly logits: readonly number[];
}

function agree(theirs: Recorded): void {
  const ours = trained();
  expect(ours.losses).toHaveLength(theirs.losses.length);
  for (const name of ["losses", "logits"] as const) {
    for (const [i, value] of ours[name].entries()) expect(value, `${name} ${i}`).toBeCloseTo(theirs[name][i] ?? 0, 11);
  }
}

test("training gives the losses and logits that PyTorch recorded, in float64", () => {
  agree(JSON.parse(readFileSync(new URL("./attentive.json", import.meta.url), "utf8")));
  expect(trained().losses.at(-1)).toBeLessThan(0.5 * (trained().losses[0] ?? 0));
});

const python = process.env.IJEPA_PYTHON ?? "python3";
const has = spawnSync(python, ["-c", "import torch"]).status === 0;
if (!has) console.log("Python's PyTorch is not here (IJEPA_PYTHON): the attentive probe is held to what it recorded.");
test.skipIf(!has)("training gives the losses and logits of PyTorch", () => {
  const folder = mkdtempSync(join(tmpdir(), "ijepa-attentive-"));
  try {
    const { query, key, value, head, bias } = probe("a");
    const rows = (values: Float64Array, count: number): number[][] =>
      Array.from({ length: count }, (_, r) => [...values.subarray(r * width, (r + 1) * width)]);
    const start = {
      heads,
      query: [...query],
      key: rows(key.values, width),
      value: rows(value.values, width),
      head: rows(head.values, classes),
      bias: [...bias.subarray(0, classes)],
    };
    const given = { start, patches: drawn.map(({ values }) => rows(values, patches)), labels: [...labels], factors };
    writeFileSync(join(folder, "given.json"), JSON.stringify({ ...given, ...setting }));
    const script = new URL("./attentive.py", import.meta.url).pathname;
    const { stdout, stderr, status } = spawnSync(python, [script, join(folder, "given.json")], { encoding: "utf8" });
    expect(status, stderr).toBe(0);
    if (process.env.IJEPA_RECORD) writeFileSync(new URL("./attentive.json", import.meta.url), `${stdout}\n`);
    agree(JSON.parse(stdout));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

interface Hidden {
  readonly features: PatchFeatures;
  readonly labels: Int32Array;
}

/** One patch of each image, anywhere, shows its class; in the mean over patches the others drown it. */
function hidden(purpose: string, count: number): Hidden {
  const ofClass = Int32Array.from({ length: count }, (_, i) => i % 2);
  const values = Float32Array.from(normal(purpose, count * patches * width));
  for (let i = 0; i < count; i++) {
    const at = (i * patches + ((i * 5) % patches)) * width;
    values.fill(0, at, at + width);
    values[at] = 9;
    values[at + 1] = ofClass[i] === 0 ? 2 : -2;
  }
  // The second number of the other patches is large, and says nothing.
  for (let at = 1; at < values.length; at += width) if (values[at - 1] !== 9) values[at] = 3 * (values[at] ?? 0);
  const rows = Array.from({ length: count }, (_, i) => i);
  async function* parts(): AsyncGenerator<Features> {
    const half = Math.ceil(count / 2) * patches * width;
    const dimension = patches * width;
    yield { images: half / dimension, dimension, values: values.slice(0, half) };
    yield { images: count - half / dimension, dimension, values: values.slice(half) };
  }
  return { features: { images: count, patches, width, rows, parts }, labels: ofClass };
}

/** What the mean over patches knows of the classes, by the linear probe. */
async function byMean(splits: readonly [train: Hidden, validation: Hidden, test: Hidden]): Promise<number> {
  const [train, validation, held] = await Promise.all(
    splits.map(async ({ features }): Promise<Features> => {
      const values = new Float32Array(features.images * width);
      let at = 0;
      for await (const part of features.parts()) {
        for (const [i, value] of part.values.entries()) {
          const image = at + Math.floor(i / part.dimension);
          values[image * width + (i % width)] = (values[image * width + (i % width)] ?? 0) + value / patches;
        }
        at += part.images;
      }
      return { images: features.images, dimension: width, values };
    }),
  );
  if (train === undefined || validation === undefined || held === undefined) throw new Error("no features");
  const [a, b, c] = splits.map((split) => split.labels);
  const none = new Int32Array();
  const ofSplits = { train: a ?? none, validation: b ?? none, test: c ?? none };
  return linearProbe(prepareProbe(train, validation, held), ofSplits, 2).testAccuracy;
}

test("it finds the one patch that tells, chooses on validation, and does the same again", async () => {
  const [train, validation, held] = [hidden("train", 301), hidden("validation", 81), hidden("held", 80)];
  const of = (given: typeof train): Int32Array => given.labels;
  // Half of the test labels are wrong: a choice made there would show.
  const wrong = of(held).map((label, i) => (i % 4 < 2 ? label : 1 - label));
  const what = {
    tasks: [{ name: "class", classes: 2, labels: { train: of(train), validation: of(validation), test: wrong } }],
    heads,
    epochs: 60,
    seed,
    train: train.features,
    validation: validation.features,
    test: held.features,
    progress: () => {},
  };
  const [found] = await probeAttention(what);
  expect(await byMean([train, validation, held])).toBeLessThan(0.8);
  expect(found?.settings).toHaveLength(3);
  expect(found?.best.validation).toBeGreaterThan(0.95);
  expect(found?.best.validation).toBe(Math.max(...(found?.settings.map((one) => one.validation) ?? [])));
  expect(found?.best.test.value).toBeCloseTo(0.5, 1);
  expect(found).toMatchObject({ task: "class", epochs: 60, images: 301, heads });
  expect((await probeAttention(what))[0]).toEqual(found);
});
