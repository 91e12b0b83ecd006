/** Evaluations of a small run, and of the same encoder as others store it. */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UserError } from "../../../runtime/errors";
import type { Features } from "../../../runtime/evaluate/features";
import { readLogFile } from "../../../runtime/report/read-log";
import type { PatchFeatures } from "../../../tools/evaluate/attentive-probe";
import { type EvaluateOptions, evaluateEncoder } from "../../../tools/evaluate/evaluate";
import { createExtractor } from "../../../tools/evaluate/extract";
import { openFeatureCache } from "../../../tools/evaluate/feature-cache";
import { openImages } from "../../../tools/evaluate/images";
import { resultText } from "../../../tools/evaluate/result";
import { openEvaluated } from "../../../tools/evaluate/source";
import { exportRun } from "../../../tools/export/export";
import { normalized } from "../../../tools/export/onnx/measure";
import { openEncoder } from "../../../tools/export/onnx/session";
import { ExportRefused } from "../../../tools/export/refused";
import { openSource } from "../../../tools/export/source";
import { furthest, makeRun, type SmallRun, simmimSpec, smallSpec } from "../../support/exported";

const folder = mkdtempSync(join(tmpdir(), "ijepa-evaluate-"));
const from = join(folder, "run");
const cache = join(folder, "cache");
const pictures = join(folder, "pictures");
let run: SmallRun;
beforeAll(async () => {
  run = await makeRun(from);
  for (const [c, name] of ["blue", "red"].entries()) {
    mkdirSync(join(pictures, name), { recursive: true });
    for (let i = 0; i < 100; i++) {
      const background = { r: 250 * c, g: 2 * i, b: 250 * (1 - c) };
      await sharp({ create: { width: 30, height: 28, channels: 3, background } })
        .png()
        .toFile(join(pictures, name, `${i}.png`));
    }
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

const evaluated = (more: Partial<EvaluateOptions> = {}) =>
  evaluateEncoder({
    from,
    encoder: "target",
    protocols: ["knn", "collapse"],
    data: null,
    labels: null,
    spec: null,
    trainImages: null,
    testImages: null,
    epochs: 2,
    cache,
    progress: () => {},
    ...more,
  });

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

test("pooled features are means of patch features, of every probed layer, by both encoders", async () => {
  const bytes = Uint8Array.from({ length: 3 * 3 * 24 * 24 }, (_, i) => (i * 37) % 256);
  for (const [choice, root] of [
    ["target", "target"],
    ["context", "weights.encoder"],
  ] as const) {
    const opened = await openSource(from, choice);
    if (!opened.ok) throw new Error(opened.file);
    const encoder = await openEncoder(opened.source);
    const [patches, pooled] = [await encoder.patches(bytes, 3), await encoder.pooled(bytes, 3)];
    await encoder.close();
    await opened.source.close();
    expect(furthest(patches, await run.encode(normalized(bytes, run.experiment), root))).toBeLessThan(1e-4);
    expect(pooled).toHaveLength(3 * 2 * 32);
    const means = Float64Array.from({ length: 3 * 32 }, (_, at) => {
      const [image, c] = [Math.floor(at / 32), at % 32];
      let sum = 0;
      for (let patch = 0; patch < 36; patch++) sum += patches[(image * 36 + patch) * 32 + c] ?? 0;
      return sum / 36;
    });
    const last = means.map((_, at) => pooled[Math.floor(at / 32) * 64 + (at % 32)] ?? 0);
    const before = means.map((_, at) => pooled[Math.floor(at / 32) * 64 + 32 + (at % 32)] ?? 0);
    expect(furthest(last, means)).toBeLessThan(1e-5);
    expect(furthest(before, means)).toBeGreaterThan(0.01);
  }
});

describe("a run", () => {
  test("gives a table, a line of its log, and the same again from the cache", async () => {
    const all = ["knn", "linear", "few-labels", "collapse", "lidar", "heads", "attentive"] as const;
    const first = await evaluated({ protocols: all });
    expect(first.rows.map(({ representation }) => representation)).toEqual([
      "last layer",
      "last 2 layers",
      "raw pixels (16×16)",
    ]);
    expect(first.images).toEqual({ train: 64, validation: 32, test: 32 });
    expect(first.heads.map(({ task }) => task)).toEqual(first.tasks.map(({ name }) => name));
    expect(first.attentive.map(({ task, images, heads }) => [task, images, heads])).toEqual(
      first.tasks.map(({ name }) => [name, 64, 4]),
    );
    expect(resultText(first)).toMatch(
      /^count: attentive probe [\d.]+ \([\d.]+–[\d.]+\): 4 heads over the patches of 64 /m,
    );
    expect(first.lidar?.value).toBeGreaterThan(1);
    expect(resultText(first)).toMatch(/, target encoder at step 5 /);
    const logged = readLogFile(join(from, "log.jsonl")).filter(({ event }) => event === "probes");
    expect(logged).toMatchObject([{ step: 5, results: { encoder: "target", rows: first.rows } }]);
    const progress: string[] = [];
    const kept = [...all.slice(0, 4), "attentive"] as const;
    const again = await evaluated({ protocols: kept, progress: (line) => progress.push(line) });
    expect(again.attentive).toEqual(first.attentive);
    expect(again.rows).toEqual(first.rows);
    expect(again.fewLabels).toEqual(first.fewLabels);
    expect(again.collapse).toEqual(first.collapse);
    expect(progress.filter((line) => line.includes(" images"))).toEqual([]);
  }, 240_000);

  test("a damaged cache is made anew, and that is said", async () => {
    const protocols = ["knn", "attentive"] as const;
    const first = await evaluated({ protocols });
    for (const name of readdirSync(cache)) {
      const bytes = readFileSync(join(cache, name));
      bytes[bytes.length - 3] = (bytes.at(-3) ?? 0) ^ 1;
      writeFileSync(join(cache, name), bytes);
    }
    const again = await evaluated({ protocols });
    expect(again.notes.join(" ")).toMatch(/with the features of train was damaged/);
    expect(again.notes.join(" ")).toMatch(/with the features of patches of test was damaged/);
    expect([again.rows, again.attentive]).toEqual([first.rows, first.attentive]);
    expect((await evaluated({ protocols })).notes).toEqual([]);
  });

  test("says which few labels there are not enough images for", async () => {
    const found = await evaluated({ protocols: ["few-labels"], trainImages: 20 });
    const labels = found.fewLabels.filter(({ task }) => task === "count").map((one) => one.labels);
    expect(labels).toContain("1 per class");
    expect(found.notes).toContain(
      "count: the training images are too few for labels of 5 per class, 20 per class, 1 %.",
    );
  });

  test("the other encoder has other features, which the cache does not mix up", async () => {
    const [target, context] = [await evaluated(), await evaluated({ encoder: "context" })];
    expect(context.collapse).not.toEqual(target.collapse);
  });
});

test("patch features come in parts and, of more training images than memory takes, evenly over all", async () => {
  const source = await openEvaluated({ from, choice: "target", spec: null });
  const notes: string[] = [];
  const limits = { data: null, trainImages: null, testImages: null, labelsWanted: true, labels: null };
  const images = await openImages({ source, ...limits });
  const bytes = 4 * 36 * 32;
  const extractorOf = (most: { readonly part: number; readonly train: number } | undefined) =>
    createExtractor({
      source,
      cache: openFeatureCache({ folder: join(folder, "parts") }),
      note: (line) => notes.push(line),
      progress: () => {},
      ...(most && { most }),
    });
  const [small, whole] = [await extractorOf({ part: 5 * bytes, train: 17 * bytes }), await extractorOf(undefined)];
  const partsOf = async ({ parts }: PatchFeatures): Promise<readonly Features[]> => {
    const found: Features[] = [];
    for await (const part of parts()) found.push(part);
    return found;
  };
  const [all] = await partsOf(whole.patches(images, "train"));
  const some = small.patches(images, "train");
  const found = await partsOf(some);
  expect([some.images, some.patches, some.width]).toEqual([17, 36, 32]);
  expect(some.rows).toEqual(Array.from({ length: 17 }, (_, i) => Math.floor((i * 64) / 17)));
  expect(found.map((part) => part.images)).toEqual([5, 5, 5, 2]);
  const size = 36 * 32;
  const wanted = some.rows.flatMap((row) => [...(all?.values.subarray(row * size, (row + 1) * size) ?? [])]);
  expect(
    furthest(
      found.flatMap(({ values }) => [...values]),
      wanted,
    ),
  ).toBeLessThan(1e-5);
  expect(await partsOf(small.patches(images, "train"))).toEqual(found);
  expect(small.patches(images, "test").images).toBe(32);
  expect(notes[0]).toMatch(/^The attentive probe is trained on 17 of the 64 training images: /);
  await Promise.all([small.close(), whole.close(), source.close()]);
});

describe("a folder of images", () => {
  test("is split by a hash of the names, and a file that is no image is said", async () => {
    const found = await evaluated({ data: pictures, protocols: ["linear"] });
    expect(found.tasks.map(({ name, classes }) => [name, classes])).toEqual([["class", 2]]);
    expect(found.images.train + found.images.validation + found.images.test).toBe(200);
    expect(found.rows[0]?.tasks[0]?.linear?.value).toBeGreaterThan(0.9);
    const broken = join(folder, "broken");
    for (const part of ["train", "val"]) {
      for (const name of ["blue", "red"]) {
        mkdirSync(join(broken, part, name), { recursive: true });
        for (let i = 0; i < 20; i++)
          copyFileSync(join(pictures, name, `${i}.png`), join(broken, part, name, `${i}.png`));
      }
    }
    writeFileSync(join(broken, "train", "red", "7.png"), "no image");
    const split = await evaluated({ data: broken });
    expect(split.images).toEqual({ train: 39, validation: 20, test: 20 });
    expect(split.notes.join(" ")).toMatch(/red\/7\.png cannot be used: unknown format .* it is left out/);
  });

  test("what cannot be judged is refused with its reason", async () => {
    const one = join(folder, "one");
    mkdirSync(join(one, "blue"), { recursive: true });
    const flat = join(folder, "flat");
    mkdirSync(flat);
    for (let i = 0; i < 200; i++) {
      const picture = join(pictures, "blue", `${i % 100}.png`);
      copyFileSync(picture, join(one, "blue", `${i}.png`));
      copyFileSync(picture, join(flat, `${i}.png`));
    }
    expect(await refusal(evaluated({ data: one }))).toBe("E462");
    expect(await refusal(evaluated({ data: flat }))).toBe("E461");
    const unlabelled = resultText(await evaluated({ data: flat, protocols: ["collapse"] }));
    expect(unlabelled).toMatch(/^RankMe [\d.]+, spread [\d.]+$/m);
    expect(unlabelled).not.toContain("Accuracies");
    expect(await refusal(evaluated({ data: join(folder, "nowhere") }))).toBe("E101");
    expect(await refusal(evaluated({ data: run.checkpoint }))).toBe("E464");
    expect(await refusal(evaluated({ from: join(folder, "nowhere") }))).toBe("E101");
    expect(await refusal(evaluated({ from: pictures }))).toBe("E450");
    const nan = await makeRun(join(folder, "nan"), (path, values) => {
      if (path === "target.norm.bias") values[2] = 3e38;
      if (path === "target.norm.weight") values[2] = 3e38;
    });
    expect(await refusal(evaluated({ from: nan.checkpoint }))).toBe("R150");
  });
});

test("weights of others say nothing of their architecture: a spec does, and then they give the same", async () => {
  const spec = join(folder, "small.json");
  writeFileSync(spec, JSON.stringify(smallSpec));
  const ours = await evaluated();
  for (const format of ["hf", "timm", "official"] as const) {
    const out = join(folder, format);
    await exportRun({ from, format, encoder: "target", precision: "fp32", images: null, out });
    const file = format === "official" ? join(out, "small-latest.pth.tar") : out;
    const theirs = await evaluated({ from: file, spec, cache: "off" });
    expect(theirs).toMatchObject({ step: null, rows: ours.rows });
    expect(theirs.notes.join(" ")).not.toContain("class token");
    for (const one of format === "official" ? [file] : [file, join(file, "model.safetensors")]) {
      expect(await refusal(evaluated({ from: one }))).toBe("E460");
    }
  }
  const token = join(folder, "token");
  await makeRun(join(folder, "simmim"), undefined, simmimSpec);
  await exportRun({
    from: join(folder, "simmim"),
    format: "hf",
    encoder: "target",
    precision: "fp32",
    images: null,
    out: token,
  });
  expect((await evaluated({ from: token, spec, cache: "off" })).notes.join(" ")).toMatch(
    /^.*Left out: the class token\. /,
  );
  const withToken = join(folder, "simmim.json");
  writeFileSync(withToken, JSON.stringify(simmimSpec));
  const whole = await evaluated({ from: token, spec: withToken, cache: "off" });
  expect(whole.notes.join(" ")).not.toContain("class token");
  expect(whole.rows).toEqual((await evaluated({ from: join(folder, "simmim") })).rows);
  writeFileSync(spec, JSON.stringify({ ...smallSpec, encoder: { ...smallSpec.encoder, depth: 3 } }));
  expect(await refusal(evaluated({ from: join(folder, "hf"), spec }))).toBe("R171");
});
