/** Whole trainers: compiled for xla, bundled, run, resumed. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasPlugin } from "../../../support/pjrt";
import { makeTrainers, STEPS, type Trainers } from "../../../support/xla/trainers";

describe.skipIf(!hasPlugin)("a trainer", () => {
  let trainers: Trainers;
  beforeAll(async () => {
    trainers = await makeTrainers(["onnx", "xla", "xla2"]);
  }, 120_000);
  afterAll(() => trainers?.remove());
  const run: Trainers["run"] = (...args) => trainers.run(...args);

  test("has the losses of the default engine, ends in the same bits again, and when it stops and goes on", {
    timeout: 300_000,
  }, async () => {
    const onnx = await run("onnx", "onnx");
    expect(onnx).toMatchObject({ code: 0, stderr: "" });
    const whole = await run("xla", "whole");
    expect(whole).toMatchObject({ code: 0, stderr: "" });
    expect(whole.losses.size).toBe(STEPS);
    for (const [step, loss] of onnx.losses) expect(whole.losses.get(step)).toBeCloseTo(loss, 4);
    expect(whole.stdout).toMatch(/compiling step/);

    const again = await run("xla", "again");
    expect(again.stdout).not.toMatch(/compiling/);
    expect(again.hash).toBe(whole.hash);

    expect(await run("xla", "parts", { flags: ["--steps", "7"] })).toMatchObject({ code: 0, stderr: "" });
    const rest = await run("xla", "parts", { flags: ["--resume"] });
    expect(rest).toMatchObject({ code: 0, stderr: "" });
    expect(rest.hash).toBe(whole.hash);
  });

  test("on two devices of one process is that on one, ends in the same bits again, and each goes on from the other", {
    timeout: 300_000,
  }, async () => {
    const one = await run("xla", "one device");
    const two = await run("xla2", "two devices");
    expect(two).toMatchObject({ code: 0, stderr: "" });
    expect(two.stdout).toMatch(/, 2 devices/);
    expect(two.losses.size).toBe(STEPS);
    for (const [step, loss] of one.losses) expect(two.losses.get(step)).toBeCloseTo(loss, 3);
    expect(two.losses.get(1)).toBeCloseTo(one.losses.get(1) ?? Number.NaN, 6);
    expect((await run("xla2", "two again")).hash).toBe(two.hash);

    expect(await run("xla2", "changed", { flags: ["--steps", "7"] })).toMatchObject({ code: 0, stderr: "" });
    const rest = await run("xla", "changed", { flags: ["--resume"] });
    expect(rest.stdout).toContain("hardware.gpus: 2 in the checkpoint, 1 here");
    for (const [step, loss] of two.losses) expect(rest.losses.get(step)).toBeCloseTo(loss, 3);
  });

  test("says where a plugin was looked for", async () => {
    const none = {
      IJEPA_PJRT_PLUGIN: "",
      XDG_CACHE_HOME: join(trainers.folder, "none"),
      PATH: "",
      HOME: trainers.folder,
    };
    const { code, stderr } = await run("xla", "none", { env: none });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^R105: There is no PJRT plugin for the device "cpu".*pjrt-cpu\.mjs/s);
    const flags = ["--pjrt-plugin", "no/such.so"];
    expect((await run("xla", "named", { flags })).stderr).toMatch(/^R105: .*no\/such\.so, which --pjrt-plugin names/);
  });
});
