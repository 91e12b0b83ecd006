import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { main } from "../../commands/main";
import { devicesOf, engineNames } from "../../compiler/spec/hardware-rules";
import { type Diagnosis, defaultWorks, diagnose, type Finding } from "../../tools/doctor/diagnose";
import { reportText } from "../../tools/doctor/diagnosis-text";
import { allSubjects } from "../../tools/doctor/subjects";
import { vulkanDevices } from "../../tools/doctor/system";

const folder = mkdtempSync(join(tmpdir(), "ijepa-doctor-test-"));
const brokenFolder = join(folder, "broken");
const deadFolder = join(folder, "dead");
afterAll(() => rmSync(folder, { recursive: true }));

/** A package tfjs-node-gpu whose code is `text`. */
function fakePackage(where: string, text: string): void {
  const at = join(where, "node_modules", "@tensorflow", "tfjs-node-gpu");
  mkdirSync(at, { recursive: true });
  writeFileSync(join(at, "package.json"), JSON.stringify({ name: "@tensorflow/tfjs-node-gpu", version: "4.22.0" }));
  writeFileSync(join(at, "index.js"), text);
}

function findingOf({ findings }: Diagnosis, name: string): Finding {
  const found = findings.find(({ subject }) => `${subject.engine} ${subject.device}` === name);
  if (found === undefined) throw new Error(`no finding for ${name}`);
  return found;
}

async function diagnosed(where: string, ...names: readonly string[]): Promise<Diagnosis> {
  return await diagnose({
    folder: where,
    seconds: 0.1,
    only: ({ engine, device }) => names.includes(`${engine} ${device}`),
  });
}

describe("the default engine and a package that is not there", () => {
  let diagnosis: Diagnosis;
  beforeAll(async () => {
    diagnosis = await diagnosed(folder, "onnx cpu", "tfjs gpu");
  }, 60_000);

  test("the default engine has the losses of the reference", () => {
    expect(findingOf(diagnosis, "onnx cpu")).toMatchObject({ state: "ok", problem: null });
    expect(findingOf(diagnosis, "onnx cpu").lossError).toBeLessThan(1e-5);
    expect(findingOf(diagnosis, "onnx cpu").measured?.imagesPerS).toBeGreaterThan(1);
    expect(defaultWorks(diagnosis)).toBe(true);
  });

  test("what is missing is said, with the command that gets it", () => {
    expect(findingOf(diagnosis, "tfjs gpu")).toMatchObject({ state: "missing", measured: null });
    const text = reportText(diagnosis, { colour: false });
    expect(text).toMatch(/^onnx +cpu +ok +\d+ +\d+ MiB +onnxruntime 1\.\d+/m);
    expect(text).toMatch(/^tfjs +gpu +missing +– +– +–$/m);
    expect(text).toMatch(/^ {4}npm install @tensorflow\/tfjs-node-gpu@\d/m);
    expect(text).toMatch(/^ {4}node \S*\/scripts\/build-tfjs-node\.mjs --gpu$/m);
  });
});

test("a package that does not load has a line, and so has one that ends its process", async () => {
  fakePackage(brokenFolder, 'throw new Error("libtensorflow.so.2: cannot open");');
  fakePackage(deadFolder, 'console.error("terminate called"); process.abort();');
  const broken = await diagnosed(brokenFolder, "tfjs gpu");
  expect(findingOf(broken, "tfjs gpu")).toMatchObject({ state: "failed", code: "R102" });
  expect(reportText(broken, { colour: false })).toMatch(
    /^tfjs +gpu +failed +– +– +@tensorflow\/tfjs-node-gpu 4\.22\.0$/m,
  );
  expect(reportText(broken, { colour: false })).toContain("libtensorflow.so.2: cannot open");
  const dead = await diagnosed(deadFolder, "tfjs gpu");
  expect(findingOf(dead, "tfjs gpu")).toMatchObject({ state: "crashed" });
  expect(findingOf(dead, "tfjs gpu").problem).toMatch(/SIGABRT[\s\S]*terminate called/);
  expect(defaultWorks(dead)).toBe(false);
});

test("every subject says what it needs and how to get it", () => {
  for (const { packages, needs, install } of allSubjects()) {
    expect(needs).toMatch(/\.$/);
    // A plugin is no package of npm: its commands name what brings it.
    expect(install.length).toBeGreaterThan(0);
    if (packages[0] !== undefined) expect(install.join()).toContain(packages[0]);
  }
});

test("the doctor knows the devices that a spec may name", () => {
  for (const engine of engineNames) {
    const devices = allSubjects().flatMap((subject) => (subject.engine === engine ? [subject.device] : []));
    expect([...devices].sort()).toEqual([...devicesOf(engine)].sort());
  }
});

test("--only with a name that is none", async () => {
  const write = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  expect(await main(["doctor", "--only", "onnx,cuda"])).toBe(2);
  expect(write.mock.calls.join()).toMatch(/^E901 --only does not know "cuda"\n.*onnx:webgpu/s);
  write.mockRestore();
});

test("vulkaninfo --summary", () => {
  const text = `Devices:
GPU0:
	apiVersion         = 1.3.255
	deviceType         = PHYSICAL_DEVICE_TYPE_DISCRETE_GPU
	deviceName         = NVIDIA H100
GPU1:
	deviceType         = PHYSICAL_DEVICE_TYPE_CPU
	deviceName         = llvmpipe (LLVM 15.0.6, 256 bits)
`;
  expect(vulkanDevices(text)).toEqual(["NVIDIA H100", "llvmpipe (LLVM 15.0.6, 256 bits) (software)"]);
});
