/** `ijepa replay`: the recorded runs of the official code hold, what is wrong with a trace is said, a difference is found. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  readSafetensors,
  type StoredTensor,
  type TensorToWrite,
  writeSafetensors,
} from "../../runtime/checkpoint/safetensors";
import type { MeasuredTrace } from "../../scripts/parity-run";
import { ijepa } from "../support/command";
import { officialPath } from "../support/official";
import { hasPlugin } from "../support/pjrt";
import { officialTraces } from "../support/replay";

const replay = (...args: readonly string[]) => ijepa("replay", ...args);

interface Report {
  readonly holds: boolean;
  readonly notRecorded: readonly string[];
  readonly groups: MeasuredTrace["groups"];
  readonly tensors: readonly {
    readonly tensor: string;
    readonly verdict: string;
    readonly difference: number;
    readonly tolerance: number;
  }[];
}

/** What docs/parity.md shows. */
const measurements: readonly MeasuredTrace[] = JSON.parse(
  readFileSync(new URL("../../docs/parity.json", import.meta.url), "utf8"),
);

describe("official traces", () => {
  it.each(officialTraces)("%s holds", async (name) => {
    const { code, out, err } = await replay(officialPath(`${name}.safetensors`), "--json");
    expect(err).toBe("");
    expect(code).toBe(0);
    const report: Report = JSON.parse(out);
    expect(report.holds).toBe(true);
    const compared = new Set(report.tensors.map(({ tensor }) => tensor));
    const { tensors } = await readSafetensors(officialPath(`${name}.safetensors`));
    const isResult = (tensor: string) => /^(fwd|grad|seq|after\d+)\./.test(tensor);
    expect([...tensors.keys()].filter((tensor) => isResult(tensor) && !compared.has(tensor))).toEqual([]);
    const documented = measurements.find(({ trace, engine }) => trace === name && /^onnx/.test(engine));
    const counts = (groups: MeasuredTrace["groups"] = []) => groups.map(({ group, tensors }) => ({ group, tensors }));
    expect(counts(documented?.groups)).toEqual(counts(report.groups));
  });

  it("holds in float64 too, and the report for people says so for every tensor", async () => {
    const { code, out } = await replay(officialPath("step_odd_perturbed.safetensors"), "--engine", "reference");
    expect(code).toBe(0);
    for (const line of [
      /^step_odd_perturbed: 5 steps of 2 images; encoder 2×44, predictor 3×20, 4 heads, 7×7 patches of 10$/m,
      /^2 contexts of 8 to 18 tokens, 3 targets of 6 to 12, 5 programs; reference, float64$/m,
      /^ {2}fwd\.target_ln +\S+ +1\.69e-5 +0\.\d+ {2}holds$/m,
      /^ {2}after5\.encoder\.blocks\.1\.attn\.qkv\.bias\[k\] +\S+ +1\.00e-4 /m,
      /^All 373 tensors hold\./m,
    ]) {
      expect(out).toMatch(line);
    }
  });
});

describe("in bfloat16", () => {
  const tiny = officialPath("step_tiny_official_init.safetensors");
  it("holds, within tolerances that are said to be of bfloat16", { timeout: 600_000 }, async () => {
    const args = [tiny, "--engine", "reference", "--precision", "bf16"];
    const { code, out } = await replay(...args);
    expect(code).toBe(0);
    expect(out).toMatch(/^operands of products in bfloat16: tolerances of \d{2,} casts to it$/m);
    expect(out).toMatch(/^ {2}after1\.encoder\S+\[gradient beyond rounding\] .* holds$/m);
    expect(out).toMatch(/^All \d+ tensors hold\./m);
  });

  it.skipIf(!hasPlugin)("holds on XLA", { timeout: 600_000 }, async () => {
    const { code, out } = await replay(tiny, "--engine", "xla", "--precision", "bf16", "--json");
    expect(JSON.parse(out)).toMatchObject({ precision: "bf16", holds: true, engine: expect.stringMatching(/^XLA by/) });
    expect(code).toBe(0);
  });
});

describe("traces of our own (golden/torch/record.py)", () => {
  it.each(["three_ranks", "one_program", "wide_targets"])("%s holds", async (name) => {
    const { code, out } = await replay(new URL(`../golden/torch/${name}.safetensors`, import.meta.url).pathname);
    expect(out).toMatch(/^All \d+ tensors hold\./m);
    expect(code).toBe(0);
  });
});

describe("changed traces", () => {
  const name = "step_odd_perturbed";
  let folder = "";
  let tensors: ReadonlyMap<string, StoredTensor> = new Map();
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "ijepa-replay-test-"));
    ({ tensors } = await readSafetensors(officialPath(`${name}.safetensors`)));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const changedPath = () => join(folder, "changed.safetensors");
  const copyJson = (change: (json: Record<string, unknown>) => void = () => {}): void => {
    const json = JSON.parse(readFileSync(officialPath(`${name}.json`), "utf8"));
    change(json);
    writeFileSync(join(folder, "changed.json"), JSON.stringify(json));
  };

  /** The trace with some tensors left out, renamed or replaced. */
  async function writeChanged(change: (name: string, tensor: StoredTensor) => StoredTensor | null): Promise<string> {
    const kept = [...tensors].flatMap(([tensorName, tensor]): TensorToWrite[] => {
      const { dtype, shape, values } = change(tensorName, tensor) ?? {};
      if (shape === undefined || values === undefined) return [];
      if (dtype !== "F32" && dtype !== "F64" && dtype !== "I32") throw new Error(`${dtype} is not in a trace`);
      return [{ name: tensorName, dtype, shape, values: () => values }];
    });
    await writeSafetensors(changedPath(), { metadata: {}, tensors: kept });
    copyJson();
    return changedPath();
  }
  const without = (pattern: RegExp) => (tensorName: string, tensor: StoredTensor) =>
    pattern.test(tensorName) ? null : tensor;
  const reshaped = (wanted: string, shape: readonly number[]) => (tensorName: string, tensor: StoredTensor) =>
    tensorName === wanted ? { ...tensor, shape } : tensor;

  it("everything that is off is named, and nothing else", async () => {
    const wrong: Readonly<Record<string, readonly [index: number, by: number, part?: string]>> = {
      "fwd.target_ln": [17, 1e-3],
      "fwd.pred": [0, Number.NaN],
      "grad.predictor.mask_token": [3, -1e-4],
      "after1.predictor.predictor_proj.weight": [7, 1e-3],
      "after5.target_encoder.norm.bias": [0, 1e-4],
      "after5.encoder.blocks.0.attn.qkv.bias": [50, 2e-4, "[k]"],
      "seq.loss_mse": [4, 1e-3],
    };
    const path = await writeChanged((tensorName, tensor) => {
      const [index, by] = wrong[tensorName] ?? [];
      if (index === undefined || by === undefined || tensor.values instanceof BigInt64Array) return tensor;
      const values = tensor.values.slice();
      values[index] = (values[index] ?? 0) + by;
      return { ...tensor, values };
    });
    const { code, out } = await replay(path, "--brief");
    expect(code).toBe(1);
    const differing = [...out.matchAll(/^ {2}(\S+) .*DIFFERS$/gm)].map(([, tensor]) => tensor);
    const named = Object.entries(wrong).map(([tensorName, [, , part = ""]]) => `${tensorName}${part}`);
    expect(differing.sort()).toEqual(named.sort());
    expect(out).toMatch(/fwd\.pred .*\n {4}at \[0, 0, 0\]: recorded NaN, computed -?\d/);
  });

  it("a learning rate that the settings do not give is used, and named", async () => {
    const path = await writeChanged((tensorName, tensor) => {
      if (tensorName !== "seq.lr" || !(tensor.values instanceof Float64Array)) return tensor;
      return { ...tensor, values: tensor.values.map((rate) => 1.5 * rate) };
    });
    const { code, out } = await replay(path, "--brief");
    expect(code).toBe(1);
    expect(out).toMatch(/^Schedules \(1 of 3 tensors differ\)$/m);
    expect(out).toMatch(/^Gradients \(142 tensors, all hold\)$/m);
    expect(out).toMatch(/^Weights \(\d+ of 152 tensors differ\)$/m);
  });

  it("what was not recorded is said, and the rest is compared", async () => {
    const path = await writeChanged(without(/^(fwd|grad)\.|pos_embed|loss_mse/));
    const { code, out } = await replay(path, "--json");
    expect(code).toBe(0);
    const report: Report = JSON.parse(out);
    expect(report.notRecorded.join()).toMatch(/fwd\.\*.*grad\.\*/);
    expect(report.groups.map(({ group }) => group)).toEqual(["schedules", "losses", "weights", "moving average"]);
  });

  it("a tolerance that is not stated follows from the size of the numbers", async () => {
    const path = await writeChanged((_, tensor) => tensor);
    copyJson((json) => delete json.float32_vs_float64);
    const { out } = await replay(path, "--json");
    const report: Report = JSON.parse(out);
    const pred = tensors.get("fwd.pred")?.values as Float32Array;
    const largest = pred.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expect(report.tensors.find(({ tensor }) => tensor === "fwd.pred")?.tolerance).toBe(8 * 2.5e-7 * largest);
  });

  it.each([
    {
      what: "no such file",
      make: async () => join(folder, "none.safetensors"),
      says: /R141: \S+none.safetensors cannot/,
    },
    {
      what: "cut off",
      make: async () => {
        const path = await writeChanged((_, tensor) => tensor);
        truncateSync(path, 1_000_000);
        return path;
      },
      says: /R140: \S+changed\.safetensors is not a whole safetensors file: its tensors need \d+ bytes/,
    },
    {
      what: "no safetensors",
      make: async () => {
        copyJson();
        writeFileSync(changedPath(), "These are no tensors, only a line of text.");
        return changedPath();
      },
      says: /R140: .*its header claims/,
    },
    {
      what: "without its JSON",
      make: async () => {
        const path = join(folder, "alone.safetensors");
        copyFileSync(officialPath(`${name}.safetensors`), path);
        return path;
      },
      says: /R141: \S+alone\.json cannot be read: .*lies beside/,
    },
    {
      what: "with a broken JSON",
      make: async () => {
        const path = await writeChanged((_, tensor) => tensor);
        writeFileSync(join(folder, "changed.json"), '{ "config": ');
        return path;
      },
      says: /R161: \S+changed\.json cannot be replayed: it is not JSON/,
    },
    {
      what: "with a size of the model missing",
      make: async () => {
        const path = await writeChanged((_, tensor) => tensor);
        copyJson((json) => {
          json.config = { ...(json.config as object), heads: undefined };
        });
        return path;
      },
      says: /R161: .*config\.heads is missing, not a whole number/,
    },
    {
      what: "with a size that the tensors contradict",
      make: async () => {
        const path = await writeChanged((_, tensor) => tensor);
        copyJson((json) => {
          json.config = { ...(json.config as object), dim: 48 };
        });
        return path;
      },
      says: /R162: .*init\.encoder\.blocks\.0\.mlp\.fc1\.weight is F32 \[192, 44\], but .* F32 \[hidden, 48\]/,
    },
    {
      what: "without an initial weight",
      make: () => writeChanged(without(/^init\.predictor\.mask_token$/)),
      says: /R160: .*has no tensor init\.predictor\.mask_token\./,
    },
    {
      what: "without a mask",
      make: () => writeChanged(without(/^step3\.mask_pred\.1$/)),
      says: /R160: .*has no tensor step3\.mask_pred\.1\./,
    },
    {
      what: "without a step",
      make: () => writeChanged(without(/^step4\./)),
      says: /R160: .*no tensor step4\.images\./,
    },
    {
      what: "without one of the gradients",
      make: () => writeChanged(without(/^grad\.encoder\.norm\.bias$/)),
      says: /R160: .*has no tensor grad\.encoder\.norm\.bias\./,
    },
    {
      what: "with images of another size",
      make: () => writeChanged(reshaped("step2.images", [2, 3, 35, 140])),
      says: /R162: .*step2\.images is F32 \[2, 3, 35, 140\], but .* F32 \[2, 3, 70, 70\]/,
    },
    {
      what: "with masks of different lengths",
      make: () => writeChanged(reshaped("step0.mask_enc.1", [4, 9])),
      says: /R162: .*step0\.mask_enc\.1 is I32 \[4, 9\], but .* I32 \[2, K\]/,
    },
    {
      what: "with masks for a part of a set",
      make: () => writeChanged(reshaped("step0.mask_enc.0", [3, 12])),
      says: /R161: .*step0\.mask_enc\.0 has 3 rows, but every set of masks has one for each of 2 images/,
    },
    {
      what: "with a result of another shape",
      make: () => writeChanged(reshaped("after1.encoder.norm.weight", [4, 11])),
      says: /R162: .*after1\.encoder\.norm\.weight is F32 \[4, 11\], but .* F32 \[44\]/,
    },
    {
      what: "with a patch that is not there",
      make: () =>
        writeChanged((tensorName, tensor) =>
          tensorName === "step1.mask_enc.0" ? { ...tensor, values: Int32Array.from({ length: 16 }, () => 49) } : tensor,
        ),
      says: /R161: .*step1\.mask_enc\.0 names patch 49, but an image has patches 0 to 48/,
    },
    {
      what: "with nothing to compare",
      make: () => writeChanged(without(/^(fwd|grad|after\d|seq\.loss)/)),
      says: /R161: .*records no result to compare with/,
    },
  ])("a trace $what ends with 2", async ({ make, says }) => {
    const { code, out, err } = await replay(await make());
    expect(err).toMatch(says);
    expect(err).not.toMatch(/ {4}at /);
    expect({ code, out }).toEqual({ code: 2, out: "" });
  });

  it("the worst of several traces decides", async () => {
    const path = await writeChanged(without(/^init\.predictor\.mask_token$/));
    const { code, out } = await replay(officialPath("ddp2_tiny_official_init.safetensors"), path, "--brief");
    expect(code).toBe(2);
    expect(out).toMatch(/All 101 tensors hold/);
  });

  it.each([
    { args: ["--engine", "torch"], says: '--engine takes onnx, tfjs, xla or reference; found "torch"' },
    { args: ["--device", "gpu"], says: '--device takes cpu or webgpu with --engine onnx; found "gpu"' },
    {
      args: ["--engine", "reference", "--device", "webgpu"],
      says: '--device takes cpu with --engine reference; found "webgpu"',
    },
    {
      args: ["--precision", "bf16"],
      says:
        '--precision takes fp32 with --engine onnx --device cpu; found "bf16"; --engine xla --device cpu, ' +
        "--engine xla --device gpu, --engine xla --device tpu or --engine reference have it",
    },
    {
      args: ["--precision", "half", "--engine", "xla"],
      says: '--precision takes fp32 or bf16 with --engine xla --device cpu; found "half"\n',
    },
    { args: ["--threads", "0"], says: '--threads takes a whole number of 1 or more; found "0"' },
  ])("$args", async ({ args, says }) => {
    const { code, err } = await replay(officialPath("step_odd_perturbed.safetensors"), ...args);
    expect(err).toContain(says);
    expect(code).toBe(2);
  });
});
