/** onnxruntime's telemetry is off: a process that runs steps leaves nothing at home, nor in the temporary folder. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { bundle } from "../../../../compiler/bundle/bundle";
import { packageRoot } from "../../../../compiler/emit/package-root";

const folder = mkdtempSync(join(tmpdir(), "ijepa-telemetry-"));
afterAll(() => rmSync(folder, { recursive: true }));

const program = `
import { createEngine } from "ijepa/runtime/engines/onnx/engine";
const half = {
  name: "half", reads: [], lengths: [], inputs: new Map([["x", { dtype: "f32", shape: [4] }]]),
  run: (ops, _state, { x }) => ({ state: {}, outputs: { y: ops.scale(x, { by: 0.5 }) } }),
};
async function main() {
  const engine = await createEngine({ threads: 1, runtime: process.argv[2] });
  const step = await engine.load(half, engine.createStore(new Map()));
  for (let i = 0; i < 3; i++) await step.run(new Map([["x", new Float32Array(4).fill(i)]]), {});
  await new Promise((later) => setTimeout(later, 500));
  await engine.release();
}
main();
`;

test.each(["c", "binding"])("reached by %s", async (runtime) => {
  const script = join(folder, `${runtime}.cjs`);
  writeFileSync(script, await bundle({ files: [{ name: "main.ts", text: program }], banner: "" }));
  const [home, temporary] = [join(folder, `${runtime}-home`), join(folder, `${runtime}-tmp`)];
  for (const empty of [home, temporary]) mkdirSync(empty);
  const { ORT_DISABLE_TELEMETRY: _, XDG_CACHE_HOME: __, ...others } = process.env;
  const { status, stderr } = spawnSync(process.execPath, [script, runtime], {
    cwd: packageRoot(),
    encoding: "utf8",
    env: { ...others, HOME: home, TMPDIR: temporary },
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect({ home: readdirSync(home), temporary: readdirSync(temporary) }).toEqual({ home: [], temporary: [] });
});
