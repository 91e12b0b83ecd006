/** The engine on WebGPU: every op, a state that stays on the device, and what it says where there is no GPU. */
import { spawnSync } from "node:child_process";
import { afterAll, describe, expect, test } from "vitest";
import { packageRoot } from "../../../../compiler/emit/package-root";
import type { EngineFunction } from "../../../../runtime/engines/engine";
import { layoutOf } from "../../../../runtime/engines/onnx/layout";
import { record } from "../../../../runtime/engines/onnx/record";
import { createWebgpuEngine } from "../../../../runtime/engines/onnx/webgpu/engine";
import { placementLine } from "../../../../runtime/engines/onnx/webgpu/load-function";
import { placementOf } from "../../../../runtime/engines/onnx/webgpu/placement";
import { createReferenceEngine } from "../../../../runtime/engines/reference/engine";
import type { F32 } from "../../../../runtime/ops/ops";
import { sampleCall } from "../../../support/op-calls";
import { errorOf, expectOp } from "../../../support/op-check";
import { opNames } from "../../../support/op-samples";
import { webgpuForTests } from "../../../support/webgpu";
import { follow, spec, specOf, step } from "./state-step";

const SEED = 20230119;
const notes: string[] = [];
const engine = await webgpuForTests((line) => notes.push(line));
const reference = await createReferenceEngine();
afterAll(() => engine?.release());

test("what onnxruntime logs says where the nodes are", () => {
  const head = ["Add MemcpyFromHost after t7 for WebGpuExecutionProvider", "Node placements"];
  expect(
    placementOf([
      ...head,
      " Node(s) placed on [CPUExecutionProvider]. Number of nodes: 2",
      "   Concat (Concat t9)",
      "   Cast (Cast t7)",
      " Node(s) placed on [WebGpuExecutionProvider]. Number of nodes: 1",
      "   Add (Add next.a)",
      "Use DeviceBasedPartition as default",
    ]),
  ).toEqual({
    onDevice: 1,
    onCpu: [
      { op: "Concat", name: "Concat t9" },
      { op: "Cast", name: "Cast t7" },
    ],
    copies: 1,
  });
  expect(placementOf([...head, " All nodes placed on [WebGpuExecutionProvider]. Number of nodes: 8"])).toEqual({
    onDevice: 8,
    onCpu: [],
    copies: 1,
  });
  expect(placementOf(["Initializing session."])).toBeNull();
});

/** Doubles so many vectors of 1, 2, 3, … numbers, which lie side by side, and gives the norm of them all. */
function doubling(count: number): EngineFunction {
  return {
    name: "doubling",
    reads: Array.from({ length: count }, (_, i) => `a.p${i}`),
    inputs: new Map(),
    lengths: [],
    run: (o, state) => {
      const { a } = state as { a: Record<string, F32<[number]>> };
      const doubled = Object.entries(a).map(([name, x]) => [name, o.scale(x, { by: 2 })] as const);
      const norm = o.globalNorm(doubled.map(([, x]) => x));
      return { state: { a: Object.fromEntries(doubled) }, outputs: { norm } };
    },
  };
}
const doublingSpecs = (count: number) => new Map(doubling(count).reads.map((path, i) => [path, spec(i + 1)] as const));

test("a graph for it cuts into at most seven parts at a time, whatever the number, and has no fused product", () => {
  for (const count of [1, 7, 8, 49, 50, 343, 344]) {
    const fn = doubling(count);
    const layout = layoutOf(doublingSpecs(count));
    const splits = record(fn, layout, "webgpu").nodes.filter(({ op }) => op === "Split");
    expect(splits.length > 0, `${count}`).toBe(count > 1);
    for (const { outputs } of splits) expect(outputs.length).toBeLessThanOrEqual(7);
  }
  for (const op of ["matmul", "matmulNT", "matmulTN"] as const) {
    const { nodes } = record(sampleCall(op, "symbolic", SEED).fn, layoutOf(new Map()), "webgpu");
    expect(nodes.map((node) => node.op)).not.toContain("FusedMatMul");
  }
});

test("an op that is left to the CPU is an error, not a slow run", () => {
  const parts = { name: "step", nodes: [], inputs: [], outputs: [] };
  const onCpu = [{ op: "FusedMatMul", name: "FusedMatMul t3" }];
  expect(() => placementLine(parts, { onDevice: 3, onCpu, copies: 2 })).toThrow(
    "internal: WebGPU leaves ops of step to the CPU: FusedMatMul",
  );
  expect(placementLine(parts, { onDevice: 3, onCpu: [], copies: 0 })).toBe("step: all 3 nodes on the device");
});

test("where no driver answers, the error says what is needed", () => {
  const script = `
    import { createEngine } from "./runtime/engines/onnx/engine";
    createEngine({ threads: 1, device: "webgpu" }).then(
      () => console.log("a device"),
      ({ code, message }) => console.log(code, message),
    );`;
  const { stdout, status } = spawnSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
    cwd: packageRoot(),
    encoding: "utf8",
    env: { ...process.env, VK_ICD_FILENAMES: "/nowhere.json", VK_DRIVER_FILES: "/nowhere.json" },
  });
  if (process.platform !== "linux") return;
  expect(status).toBe(0);
  expect(stdout).toMatch(
    /^R104 The device "webgpu" cannot be used: Failed to get a WebGPU adapter: No supported adapters\. It needs a GPU/,
  );
});

describe.skipIf(engine === null)("on a device", () => {
  const device = engine as NonNullable<typeof engine>; // skipped where it is null

  test.each(opNames)("%s gives the numbers of the reference", { timeout: 120_000 }, async (op) => {
    await expectOp(device, { op, how: "symbolic", reference });
  });

  test("three steps of any length leave the numbers of the reference", { timeout: 120_000 }, async () => {
    const [found, wanted] = [await follow(device, step, [9, 5, 12]), await follow(reference, step, [9, 5, 12])];
    wanted.forEach((result, i) => {
      for (const [path, values] of result) {
        // As in state.test.ts, and for the same reason.
        expect(errorOf(found[i]?.get(path) ?? [], values), `step ${i}, ${path}`).toBeLessThan(2e-4);
      }
    });
    expect(notes.at(-1)).toMatch(/^step: \d+ of \d+ nodes on the device, \d+ computations of shapes on the CPU$/);
  });

  test("state stays on the device: a step sends its inputs and gets its outputs", async () => {
    const store = device.createStore(new Map(step.reads.map((path) => [path, specOf(path)] as const)));
    const loaded = await device.load(step, store);
    const bytes: { toDevice: number; fromDevice: number }[] = [];
    for (let i = 0; i < 3; i++) {
      const before = { ...device.traffic };
      await loaded.run(
        new Map([
          ["x", new Float32Array(5 * 130)],
          ["rate", Float32Array.of(0)],
          ["keep", Float32Array.of(1)],
          ["zeros", new Float32Array(140)],
        ]),
        { C: 5 },
      );
      const { toDevice, fromDevice } = device.traffic;
      bytes.push({ toDevice: toDevice - before.toDevice, fromDevice: fromDevice - before.fromDevice });
    }
    await loaded.release();
    // x, rate, keep, zeros; y [5, 6] and dX [5, 130]
    const each = { toDevice: 4 * (5 * 130 + 1 + 1 + 140), fromDevice: 4 * (5 * 6 + 5 * 130) };
    expect(bytes.slice(1)).toEqual([each, each]);
    expect(bytes[0]?.toDevice).toBeGreaterThan(each.toDevice);
  });

  test("many small tensors are cut apart and joined again, more than a shader has buffers", async () => {
    const specs = doublingSpecs(60);
    const store = device.createStore(specs);
    for (const path of specs.keys()) {
      const { size } = layoutOf(specs).find(path).piece;
      await store.write(path, new Float32Array(size).fill(size));
    }
    const loaded = await device.load(doubling(60), store);
    const norm = (await loaded.run(new Map(), {})).get("norm")?.[0];
    for (const path of specs.keys()) {
      const values = await store.read(path);
      expect([...values], path).toEqual(new Array(values.length).fill(2 * values.length));
    }
    // √ Σ n·(2n)² = 2 · √ Σ n³, and Σ n³ = (60·61/2)²
    expect(norm).toBeCloseTo(2 * ((60 * 61) / 2), 2);
    await loaded.release();
  });

  test("constants are sent once, other inputs every time though their array is the same", async () => {
    const fn: EngineFunction = {
      name: "sum",
      reads: [],
      inputs: new Map([
        ["table", { dtype: "f32", shape: [100], constant: true }],
        ["x", { dtype: "f32", shape: [100] }],
      ]),
      lengths: [],
      run: (o, _, inputs) => {
        const { table, x } = inputs as { table: F32<[100]>; x: F32<[100]> };
        return { state: {}, outputs: { y: o.add(table, x) } };
      },
    };
    const loaded = await device.load(fn, device.createStore(new Map()));
    const [table, x] = [new Float32Array(100).fill(3), new Float32Array(100).fill(1)];
    const given = new Map([
      ["table", table],
      ["x", x],
    ]);
    expect((await loaded.run(given, {})).get("y")?.[99]).toBe(4);
    const before = device.traffic.toDevice;
    x.fill(2);
    expect((await loaded.run(given, {})).get("y")?.[99]).toBe(5);
    expect(device.traffic.toDevice - before).toBe(400);
    await loaded.release();
  });

  test("runs that are not waited for come one after the other, and a copy comes after them", async () => {
    const double: EngineFunction = {
      name: "double",
      reads: ["a.x", "a.y"],
      inputs: new Map(),
      lengths: [],
      run: (o, state) => {
        const { a } = state as { a: { x: F32<[1]>; y: F32<[2]> } };
        return { state: { a: { x: o.add(a.x, a.x), y: o.scale(a.y, { by: 2 }) } }, outputs: {} };
      },
    };
    const store = device.createStore(
      new Map([
        ["a.x", spec(1)],
        ["a.y", spec(2)],
      ]),
    );
    await store.write("a.y", Float32Array.of(1, -3));
    await store.write("a.x", Float32Array.of(1));
    const loaded = await device.load(double, store);
    const runs = Array.from({ length: 5 }, () => loaded.run(new Map(), {}));
    const copy = store.read("a.x");
    await Promise.all(runs);
    expect([...(await copy)]).toEqual([32]);
    // A part that is written anew leaves the other as the runs left it.
    await store.write("a.x", Float32Array.of(5));
    await loaded.run(new Map(), {});
    expect([...(await store.read("a.x")), ...(await store.read("a.y"))]).toEqual([10, 64, -192]);
    await expect(store.write("a.y", new Float32Array(3))).rejects.toThrow("internal: a.y has 2 numbers");
    await loaded.release();
  });

  test("an engine that was given back can be followed by another", async () => {
    const other = await createWebgpuEngine({ threads: 1 });
    await other.release();
    await other.release();
    const { fn, inputs, lengths } = sampleCall("add", "symbolic", SEED);
    const loaded = await device.load(fn, device.createStore(new Map()));
    expect((await loaded.run(inputs, lengths)).size).toBe(1);
    await loaded.release();
  });
});
