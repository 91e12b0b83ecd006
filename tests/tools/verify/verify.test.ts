import { copyFileSync, mkdtempSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { main } from "../../../commands/main";
import { saveCheckpoint } from "../../../runtime/checkpoint/checkpoint";
import { experiment, parameters, readerOf, stateOf, tables } from "../../runtime/checkpoint/fixture";

const folder = mkdtempSync(join(tmpdir(), "ijepa-verify-"));
const whole = join(folder, "tiny-latest.safetensors");

beforeAll(async () => {
  const progress = { step: 12, epoch: 3, loss: 0.25 };
  await saveCheckpoint({
    path: whole,
    experiment,
    parameters,
    read: readerOf(stateOf(parameters)),
    tables,
    progress,
  });
});

async function verify(...args: readonly string[]): Promise<{ readonly code: number; readonly text: string }> {
  let text = "";
  const write = (chunk: unknown): boolean => {
    text += String(chunk);
    return true;
  };
  const spies = [process.stdout, process.stderr].map((stream) => vi.spyOn(stream, "write").mockImplementation(write));
  try {
    return { code: await main(["verify", ...args]), text };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

describe("ijepa verify", () => {
  it("finds a whole run whole", async () => {
    expect(await verify(folder)).toEqual({
      code: 0,
      text: expect.stringMatching(/^tiny-latest.safetensors {2}step 12, 21 tensors, 0\.0 MB: whole\n$/),
    });
  });

  it.each<readonly [what: string, spoil: (path: string) => void, says: RegExp]>([
    ["a cut file", (path) => truncateSync(path, 3000), /^R140: .* not a whole safetensors file/],
    ["a changed byte", flipLast, /^R140: .*by its checksum/],
    ["no checkpoint", (path) => writeFileSync(path, "{}"), /^R140: /],
  ])("finds %s, and says which file", async (_, spoil, says) => {
    const spoilt = join(mkdtempSync(join(tmpdir(), "ijepa-verify-")), "tiny-ep1.safetensors");
    copyFileSync(whole, spoilt);
    spoil(spoilt);
    const { code, text } = await verify(spoilt, whole);
    expect(code).toBe(1);
    const [first = "", second] = text.split("\n");
    expect(first.replace(/^tiny-ep1.safetensors +/, "")).toMatch(says);
    expect(second).toContain("whole");
    const json = JSON.parse((await verify(spoilt, "--json")).text);
    expect(json).toMatchObject({ files: [{ path: spoilt, problem: { code: "R140" } }] });
  });

  it.each([[[]], [["--json"]]])("of nothing ends with 2 (%j)", async (flags) => {
    const { code, text } = await verify(join(folder, "nowhere"), ...flags);
    expect(code).toBe(2);
    expect(text).toContain("nowhere");
    expect(text).not.toMatch(/^ +at /m);
  });
});

function flipLast(path: string): void {
  const bytes = readFileSync(path);
  bytes.writeUInt8((bytes.at(-1) ?? 0) ^ 4, bytes.length - 1);
  writeFileSync(path, bytes);
}
