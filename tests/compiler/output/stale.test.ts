/** `compile --check` says whose doing a difference is. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Compiled, compile } from "../../../compiler/compile";
import { verdicts } from "../../../compiler/output/stale";
import { writeTrainer } from "../../../compiler/output/write";
import { specFromText } from "../../../compiler/spec/load";

function compiled(change: object = {}): Compiled {
  const spec = {
    encoder: { dim: 48, depth: 2, heads: 3, patch: 16 },
    image: { size: 96 },
    masking: { minKeep: 2 },
    optimization: { epochs: 1, globalBatch: 4, learningRate: { warmupEpochs: 0 } },
    data: { source: "shapes", trainImages: 64, validationImages: 64, testImages: 64 },
    ...change,
  };
  const loaded = specFromText({ text: JSON.stringify(spec), file: "spec.json" });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
  return compile(loaded);
}

let out = "";
beforeEach(() => {
  out = mkdtempSync(join(tmpdir(), "ijepa-stale-"));
});
afterEach(() => rmSync(out, { recursive: true }));

const changed = (found: ReturnType<typeof verdicts>) =>
  Object.fromEntries(
    found
      .filter(({ verdict }) => verdict !== "up to date")
      .map(({ file, verdict }) => [file.slice(out.length + 6), verdict]),
  );

describe("verdicts", () => {
  it("all is up to date after writing", () => {
    writeTrainer({ out, compiled: compiled(), bundle: "" });
    expect(changed(verdicts(out, compiled()))).toEqual({});
  });

  it("nothing is there", () => {
    expect(new Set(verdicts(out, compiled()).map(({ verdict }) => verdict))).toEqual(new Set(["missing"]));
  });

  it("a file was edited by hand, and the diff shows it", () => {
    writeTrainer({ out, compiled: compiled(), bundle: "" });
    const file = join(out, "spec", "step.ts");
    writeFileSync(file, readFileSync(file, "utf8").replace("eps: 1e-5", "eps: 1e-4"));
    const found = verdicts(out, compiled());
    expect(changed(found)).toEqual({ "step.ts": "edited by hand" });
    expect(found.find(({ verdict }) => verdict === "edited by hand")?.patch).toContain(
      "-  const normalized = o.normalize(encoded, { eps: 1e-4 });",
    );
  });

  it("without a manifest the headers tell", () => {
    writeTrainer({ out, compiled: compiled(), bundle: "" });
    rmSync(join(out, "spec", "manifest.json"));
    const file = join(out, "spec", "step.ts");
    writeFileSync(file, readFileSync(file, "utf8").replace("eps: 1e-5", "eps: 1e-4"));
    expect(changed(verdicts(out, compiled()))).toEqual({ "step.ts": "edited by hand" });
    expect(changed(verdicts(out, compiled({ loss: "mse" })))["main.ts"]).toBe("spec changed");
  });

  it("the spec changed", () => {
    writeTrainer({ out, compiled: compiled(), bundle: "" });
    const found = changed(verdicts(out, compiled({ loss: "mse" })));
    expect(found["step.ts"]).toBe("spec changed");
    expect(new Set(Object.values(found))).toEqual(new Set(["spec changed"]));
  });

  it("the generator changed", () => {
    const now = compiled();
    const before = {
      ...now,
      files: now.files.map((file) =>
        file.name === "step.ts" ? { ...file, text: `${file.text}// as it was\n` } : file,
      ),
    };
    writeTrainer({ out, compiled: before, bundle: "" });
    expect(changed(verdicts(out, now))).toEqual({ "step.ts": "generator changed" });
  });

  it("files of an older generator go when the trainer is written", () => {
    writeTrainer({ out, compiled: compiled(), bundle: "" });
    const old = join(out, "spec", "old.ts");
    const before = { ...compiled(), files: [...compiled().files, { name: "old.ts", text: "export {};\n" }] };
    writeTrainer({ out, compiled: before, bundle: "" });
    expect(readFileSync(old, "utf8")).toBe("export {};\n");
    writeTrainer({ out, compiled: compiled(), bundle: "" });
    expect(() => readFileSync(old)).toThrow("ENOENT");
  });
});
