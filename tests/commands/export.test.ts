/** `ijepa export` and `ijepa import` as a person calls them. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { main } from "../../commands/main";
import { loadWeights } from "../../runtime/checkpoint/weights";
import { makeRun, type SmallRun } from "../support/exported";

const folder = mkdtempSync(join(tmpdir(), "ijepa-hand-on-"));
const from = join(folder, "run");
let run: SmallRun;
beforeAll(async () => {
  run = await makeRun(from);
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.restoreAllMocks());

async function ijepa(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const out = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const err = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const code = await main(args);
  const text = ({ mock }: { readonly mock: { readonly calls: readonly unknown[][] } }): string =>
    mock.calls.map(([line]) => String(line)).join("");
  const found = { code, stdout: text(out), stderr: text(err) };
  vi.restoreAllMocks();
  return found;
}

describe("export", () => {
  test("says where it wrote and how to load it", async () => {
    const out = join(folder, "timm");
    const { code, stdout, stderr } = await ijepa("export", from, "--format", "timm", "--out", out);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("Load it with:\n  import timm\n");
    expect(existsSync(join(out, "model.safetensors"))).toBe(true);
  });

  const cases: readonly [what: string, args: readonly string[], says: RegExp][] = [
    ["no format", [], /required option '--format/],
    ["a format that is none", ["--format", "keras"], /--format is "keras"[\s\S]*It takes safetensors, official/],
    ["an encoder that is none", ["--format", "hf", "--encoder", "teacher"], /--encoder is "teacher"/],
    ["a precision that the format lacks", ["--format", "hf", "--precision", "fp16"], /--format hf is "fp16"/],
    ["a folder that holds something else", ["--format", "hf", "--out", from], /E454[\s\S]*no ijepa-export\.json/],
  ];
  test.each(cases)("refused: %s", async (_, args, says) => {
    const found = await ijepa("export", from, ...args);
    expect(found.stderr).toMatch(says);
    expect(found).toMatchObject({ code: 2, stdout: "" });
  });
});

describe("import", () => {
  test("weights of Hugging Face become a checkpoint to begin with", async () => {
    const [hf, out] = [join(folder, "hf"), join(folder, "begin.safetensors")];
    expect((await ijepa("export", from, "--format", "hf", "--out", hf)).code).toBe(0);
    const { code, stdout } = await ijepa("import", hf, "--out", out);
    expect(code).toBe(0);
    expect(stdout).toMatch(/29 tensors of target_encoder[\s\S]*--init-from/);
    const state = new Map<string, Float32Array>();
    const write = async (path: string, values: Float32Array) => void state.set(path, values);
    const { notes } = await loadWeights({ path: out, parameters: run.parameters, write });
    expect(notes.join("\n")).toMatch(/no encoder; its target encoder takes that place\n.*no predictor/);
    const path = "blocks.1.attn.qkv.weight";
    expect(state.get(`target.${path}`)).toEqual(await run.read(`target.${path}`));
    expect(state.get(`weights.encoder.${path}`)).toEqual(await run.read(`target.${path}`));
    expect(await ijepa("import", hf, "--out", out)).toMatchObject({ code: 2, stderr: expect.stringMatching(/E459/) });
  });

  const cases: readonly [what: string, file: string, text: string, code: number, says: RegExp][] = [
    ["no encoder", "none.safetensors", safetensors({ other: [1] }), 2, /R170: .*neither the weights/],
    ["no weights", "torn.pth", "torn", 2, /R149/],
    ["a configuration of something else", "other.yaml", "a: 1\n", 1, /E457[\s\S]*no section data, mask/],
    ["no YAML", "bad.yaml", "a: [1\n", 1, /E457/],
  ];
  test.each(cases)("refused: %s", async (_, name, text, code, says) => {
    const file = join(folder, name);
    writeFileSync(file, text, "latin1");
    const out = join(folder, "never");
    const found = await ijepa("import", file, "--out", out);
    expect(found.stderr).toMatch(says);
    expect(found).toMatchObject({ code, stdout: "" });
    expect(existsSync(out)).toBe(false);
  });

  test("a file that is not there", async () => {
    expect(await ijepa("import", join(folder, "absent.yaml"))).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/E101/),
    });
    expect(await ijepa("import", join(folder, "absent.pth"))).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/R141/),
    });
  });

  test("a spec becomes a configuration only where the official code can do what it asks", async () => {
    const spec = join(folder, "own.json");
    writeFileSync(spec, '{ "data": { "source": "shapes" }, "loss": "mse", "masking": { "sampler": "unbiased" } }');
    const { code, stderr } = await ijepa("import", spec, "--out", join(folder, "own.yaml"));
    expect(code).toBe(1);
    for (const field of ["loss", "masking.sampler", "data.source"]) expect(stderr).toContain(field);
    expect(readFileSync(spec, "utf8")).toContain("mse");
  });
});

/** A file with these F32 tensors of numbers 0. */
function safetensors(shapes: Readonly<Record<string, readonly number[]>>): string {
  let end = 0;
  const entries = Object.entries(shapes).map(([name, shape]) => {
    const begin = end;
    end += 4 * shape.reduce((product, size) => product * size, 1);
    return [name, { dtype: "F32", shape, data_offsets: [begin, end] }];
  });
  const json = JSON.stringify(Object.fromEntries(entries));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return `${length.toString("latin1")}${json}${"\0".repeat(end)}`;
}
