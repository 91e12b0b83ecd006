/** The client of the C interface, on every plugin that is here. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Builder } from "../../../../../runtime/engines/xla/builder";
import { loadPjrt, type Pjrt } from "../../../../../runtime/engines/xla/pjrt/api";
import { Client } from "../../../../../runtime/engines/xla/pjrt/client";
import { compileOptionsBytes } from "../../../../../runtime/engines/xla/pjrt/compile-options";
import type { HostNumbers, TensorType } from "../../../../../runtime/engines/xla/pjrt/types";
import { hasPlugin, plugins } from "../../../../support/pjrt";

const f32 = (...shape: readonly number[]): TensorType => ({ type: "f32", shape });
const one = { replicas: 1, partitions: 1 };

/** a + b in the place of a, and b twice. */
const sums = `module @sums {
  func.func public @main(%a: tensor<4xf32> {tf.aliasing_output = 0 : i32}, %b: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
    %0 = stablehlo.add %a, %b : tensor<4xf32>
    %1 = stablehlo.add %b, %b : tensor<4xf32>
    return %0, %1 : tensor<4xf32>, tensor<4xf32>
  }
}`;
const sumTypes = { parameters: [f32(4), f32(4)], results: [f32(4), f32(4)] };

test("compile options, byte for byte", () => {
  expect([...compileOptionsBytes(one)]).toEqual([0x1a, 4, 0x20, 1, 0x28, 1]);
  const flags = { xla_a: true, xla_b: "c", xla_d: 300 };
  const hex = Buffer.from(compileOptionsBytes({ ...one, flags })).toString("hex");
  expect(hex).toBe(
    "1a0420012801" + "3a0b0a05786c615f6112021001" + "3a0c0a05786c615f6212030a0163" + "3a0c0a05786c615f64120318ac02",
  );
  expect([...compileOptionsBytes({ replicas: 2, partitions: 1, devices: [1, 300] })]).toEqual([
    ...[0x1a, 17, 0x20, 2, 0x28, 1],
    ...[0x4a, 11, 0x08, 2, 0x10, 1],
    ...[0x1a, 5, 0x0a, 3, 1, 0xac, 2],
  ]);
  expect(() => compileOptionsBytes({ replicas: 0, partitions: 1 })).toThrow("internal: 0 replicas");
  expect(() => compileOptionsBytes({ ...one, devices: [0, 1] })).toThrow("internal: 2 devices for 1 replicas");
});

describe.skipIf(!hasPlugin).each(plugins)("$name", ({ path }) => {
  let pjrt: Pjrt;
  let client: Client;
  beforeAll(async () => {
    pjrt = loadPjrt(path);
    client = await Client.create(pjrt, { cpu_device_count: 1 });
  });
  afterAll(() => client.release());

  test("says its version, what it speaks, and that it is one processor", () => {
    expect(pjrt.version.major).toBe(0);
    expect(pjrt.version.minor).toBeGreaterThanOrEqual(81);
    const [major, minor] = pjrt.attributes.get("stablehlo_current_version") as bigint[];
    expect(major).toBe(1n);
    expect(minor).toBeGreaterThanOrEqual(13n);
    expect(client).toMatchObject({ platform: "cpu", deviceKind: "cpu", found: 1, devices: [0] });
    expect(client.memory()).toBeNull();
  });

  test.each<[TensorType, HostNumbers]>([
    [f32(2, 3), Float32Array.of(1, 2, 3, 4, 5, 6)],
    [f32(), Float32Array.of(7)],
    [f32(0, 3), new Float32Array()],
    [{ type: "i32", shape: [2] }, Int32Array.of(-1, 2 ** 31 - 1)],
    [{ type: "bf16", shape: [2] }, Uint16Array.of(0x3f80, 0xc000)],
    [{ type: "ui8", shape: [300] }, Uint8Array.from({ length: 300 }, (_, i) => i)],
    [f32(40), new Float32Array(new SharedArrayBuffer(160)).fill(0.5)],
  ])("%j goes up and comes back", async (tensor, values) => {
    const buffer = client.upload(values, tensor);
    const wanted = [...values];
    values.fill(9);
    expect([...(await buffer.read())]).toEqual(wanted);
    buffer.destroy();
    buffer.destroy();
    await expect(buffer.read()).rejects.toThrow("internal: a buffer is used after its end");
  });

  test("a program runs, and its donated argument stays where it is", async () => {
    const program = await client.compile(sums, sumTypes, one);
    expect(program.memory()).toMatchObject({ arguments: 32, aliased: 16 });
    const b = client.upload(Float32Array.of(1, 2, 3, 4), f32(4));
    let a = client.upload(Float32Array.of(0, 0, 0, 0.5), f32(4));
    for (let i = 1; i <= 3; i++) {
      const { results, done } = await program.execute([[a, b]]);
      await done;
      a.destroy();
      const [sum, twice] = results[0] ?? [];
      if (sum === undefined || twice === undefined) throw new Error("two results");
      expect([...(await twice.read())]).toEqual([2, 4, 6, 8]);
      twice.destroy();
      a = sum;
    }
    expect([...(await a.read())]).toEqual([3, 6, 9, 12.5]);
    program.release();
    await expect(program.execute([[a, b]])).rejects.toThrow("internal: a program is run after its end");
    a.destroy();
    b.destroy();
  });

  test("four devices of one process add up over all of them, and each keeps its own", async () => {
    const many = await Client.create(pjrt, { cpu_device_count: 4 }, { most: 4 });
    expect(many).toMatchObject({ found: 4, devices: [0, 1, 2, 3] });
    expect(many.allDevices()).toEqual([0, 1, 2, 3]);
    const b = new Builder({ precision: "DEFAULT", recomputes: false, ordersOperands: false, replicas: 4 });
    const x = b.parameter("f32", [2]);
    const mean = b.meanOverReplicas(x);
    const text = `module @mean attributes {mhlo.num_replicas = 4 : i32} {
      func.func public @main(${x.name}: tensor<2xf32>) -> tensor<2xf32> {
        ${b.lines.join("\n")}
        return ${mean.name} : tensor<2xf32>
      }
    }`;
    const types = { parameters: [f32(2)], results: [f32(2)] };
    // The third device is the first replica.
    const devices = [2, 0, 1, 3];
    const program = await many.compile(text, types, { replicas: 4, partitions: 1, devices });
    const rows = devices.map((device) => [many.upload(Float32Array.of(device, 8 * device), f32(2), device)]);
    const { results, done } = await program.execute(rows);
    await done;
    for (const [result] of results) expect([...((await result?.read()) ?? [])]).toEqual([1.5, 12]);
    for (const buffer of [...rows, ...results].flat()) buffer.destroy();
    program.release();
    many.release();
  });

  test("what was serialized gives the same; what was not is an error", async () => {
    const program = await client.compile(sums, sumTypes, one);
    const bytes = program.serialize();
    program.release();
    const again = await client.deserialize(bytes, sumTypes);
    const [a, b] = [client.upload(Float32Array.of(1, 1, 1, 1), f32(4)), client.upload(new Float32Array(4), f32(4))];
    const { results, done } = await again.execute([[a, b]]);
    await done;
    expect([...((await results[0]?.[0]?.read()) ?? [])]).toEqual([1, 1, 1, 1]);
    for (const buffer of [a, b, ...results.flat()]) buffer.destroy();
    again.release();
    await expect(client.deserialize(new Uint8Array(1000), sumTypes)).rejects.toThrow();
    await expect(client.deserialize(new Uint8Array(), sumTypes)).rejects.toThrow("nothing was serialized");
  });

  test.each([
    ["an empty program", "  \n", /internal: an empty program/],
    ["syntax", "module @m { nonsense }", /nonsense/],
    ["a value that is not there", sums.replace("%a, %b", "%a, %c"), /undeclared SSA value/],
    ["another number of results", sums, /internal: the program gives 2 results, not 1/],
  ])("%s is an error, and the process lives", async (name, text, wanted) => {
    const types = name.includes("number") ? { ...sumTypes, results: [f32(4)] } : sumTypes;
    await expect(client.compile(text, types, one)).rejects.toThrow(wanted);
  });

  test("arguments of another type, form or number are refused before XLA reads them", async () => {
    const program = await client.compile(sums, sumTypes, one);
    const a = client.upload(new Float32Array(4), f32(4));
    const whole = client.upload(new Int32Array(4), { type: "i32", shape: [4] });
    const square = client.upload(new Float32Array(4), f32(2, 2));
    await expect(program.execute([[a, whole]])).rejects.toThrow(
      "internal: argument 1 is tensor<4xi32>, not tensor<4xf32>",
    );
    await expect(program.execute([[square, a]])).rejects.toThrow("internal: argument 0 is tensor<2x2xf32>");
    await expect(program.execute([[a]])).rejects.toThrow("internal: a program of 2 parameters was given 1 arguments");
    expect(() => client.upload(new Float32Array(3), f32(4))).toThrow("internal: 3 numbers of Float32Array");
    expect(() => client.upload(new Int32Array(4), f32(4))).toThrow("internal: 4 numbers of Int32Array");
    for (const buffer of [a, whole, square]) buffer.destroy();
    program.release();
  });

  test("an option that it does not know is an error in words", async () => {
    await expect(Client.create(pjrt, { no_such_option: 1 })).rejects.toThrow(/no_such_option/);
  });
});
