/** `ijepa replay --trainer`: a step that somebody has edited goes through a recording, and the recording says what it changed. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { standingForItself } from "../../compiler/emit/code";
import { openTrace } from "../../runtime/replay/trace";
import { compileReplay } from "../../tools/replay/compile";
import { ijepa } from "../support/command";
import { officialPath } from "../support/official";

const trace = officialPath("step_tiny_official_init.safetensors");
const folder = mkdtempSync(join(tmpdir(), "ijepa-replay-trainer-"));
const written = join(folder, "written");
const step = join(written, "step.ts");
let original = "";

const replay = (...args: readonly string[]) => ijepa("replay", trace, ...args);

beforeAll(async () => {
  const { code, out } = await replay("--write", written);
  expect(code).toBe(0);
  expect(out).toContain(`--trainer ${written}\n`);
  original = readFileSync(step, "utf8");
});
afterEach(() => {
  writeFileSync(step, original);
});
afterAll(() => rmSync(folder, { recursive: true }));

const edit = (from: string, to: string): void => {
  expect(original).toContain(from);
  writeFileSync(step, original.replaceAll(from, to));
};

describe("the step of a folder", () => {
  it("holds as the compiler writes it", async () => {
    const { code, err } = await replay("--trainer", written, "--brief");
    expect({ code, err }).toEqual({ code: 0, err: `The step is that of ${written}, as the compiler writes it.\n` });
  });

  it("holds after an edit that changes no number", async () => {
    edit("const scores = o.matmulNT(q, k", "// Queries by keys.\n  const scores = o.matmulNT(q, k");
    const { code, err } = await replay("--trainer", written, "--brief");
    expect({ code, err }).toEqual({
      code: 0,
      err: `The step is that of ${written}, which is not what the compiler writes.\n`,
    });
  });

  it("is found out by what it changes", async () => {
    edit("eps: 1e-6", "eps: 1e-2");
    const { code, out } = await replay("--trainer", written, "--brief");
    expect(code).toBe(1);
    expect(out).toMatch(/fwd\.context .*DIFFERS/);
  });

  it("is refused where it does not type-check, at its line", async () => {
    edit("o.matmulNT(q, k,", "o.matmulNT(k, q,");
    const { code, err, out } = await replay("--trainer", written);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(/written\/step\.ts:\d+:\d+ E433 Argument of type/);
  });

  it("is refused where what calls it finds a function no more", async () => {
    edit("export function contextBlock<", "export function contextLayer<");
    const { code, err } = await replay("--trainer", written);
    expect(code).toBe(2);
    expect(err).toMatch(/E43[36] /);
  });

  it("is refused where its sizes are not those of the recording", async () => {
    const { code, err } = await replay("--trainer", "generated/quickstart");
    expect(code).toBe(2);
    expect(err).toMatch(/^generated\/quickstart\/step\.ts:\d+:1 E433 B is 16 here, and 3 in the recording\n/);
  });

  it("may take images as bytes, as a trainer does: those of the recording are normalized already", async () => {
    const opened = await openTrace(trace);
    const bytes = standingForItself({ name: "other.ts", text: "o.normalizePixels()", imports: [] });
    writeFileSync(step, compileReplay(opened, { step: [bytes] }).ownStep);
    await opened.close();
    expect(readFileSync(step, "utf8")).toContain("images: U8<");
    expect(await replay("--trainer", written, "--brief")).toMatchObject({ code: 0 });
  });
});

it("a folder without a step, and one that has one already", async () => {
  expect(await replay("--trainer", folder)).toMatchObject({ code: 2, err: expect.stringContaining("E434") });
  expect(await replay("--write", written)).toMatchObject({ code: 2, err: expect.stringContaining("E435") });
});
