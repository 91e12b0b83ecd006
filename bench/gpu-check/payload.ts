/** Makes what a GPU check runs: programs that were compiled here, the packages they load, Node, traces and peers. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, realpathSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build as esbuild } from "esbuild";
import { namedSpec } from "../../commands/specs";
import { compiled } from "../../commands/write-specs";
import { build } from "../../compiler/build";
import { bundle } from "../../compiler/bundle/bundle";
import { oneLine } from "../../compiler/diagnostics/diagnostic";
import { packageRoot, packageVersion } from "../../compiler/emit/package-root";
import { bundleInput } from "../../compiler/output/write-many";
import { allParameters } from "../../compiler/step/cost";
import { factsOf } from "../../compiler/step/facts";
import { trialBundle } from "../../tools/doctor/trial-bundle";
import { type HardwareChange, loadWithHardware } from "../../tools/pack/hardware";
import { needsOf } from "../../tools/pack/needs";
import { nativePackages } from "../../tools/pack/pack";
import { filesOfPackages } from "../../tools/pack/packages";
import { replayBundle } from "../../tools/replay/bundle";
import { buildDriver } from "../build";
import type { CheckPrecision, Driver, Manifest, QuickstartTrainer, SizeFacts, TraceProgram } from "./manifest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const QUICKSTART = "experiments/quickstart.json";
const precisions: readonly CheckPrecision[] = ["fp32", "bf16"];

interface Size {
  readonly name: string;
  readonly title: string;
  readonly file: string;
  readonly isSmall: boolean;
}

/** In the order in which they are measured: the time may not be enough for all. */
export const sizes: readonly Size[] = [
  { name: "quickstart", title: "Quickstart, 64 pixels, batch 16", file: QUICKSTART, isSmall: true },
  { name: "vitl16", title: "ViT-L/16, batch 128", file: "bench/experiments/large-gpu.json", isSmall: false },
  { name: "vith14", title: "ViT-H/14, batch 128", file: "bench/experiments/huge-gpu.json", isSmall: false },
  { name: "vits16", title: "ViT-S/16, batch 128", file: "bench/experiments/small-gpu.json", isSmall: false },
  { name: "vitb16", title: "ViT-B/16, batch 128", file: "bench/experiments/base-gpu.json", isSmall: false },
];

export interface PayloadOptions {
  /** Names of sizes; left out: all. */
  readonly only?: readonly string[];
  /** Of the trainers and of the engine in them. */
  readonly devices: readonly string[];
  readonly tell?: (line: string) => void;
}

/** Fills an empty folder. */
export async function makePayload(
  folder: string,
  { only, devices, tell = () => {} }: PayloadOptions,
): Promise<Manifest> {
  const refused: { what: string; why: string }[] = [];
  const put = (name: string, text: string): string => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
    return name;
  };
  const copy = (from: string, to: string): string => {
    mkdirSync(dirname(join(folder, to)), { recursive: true });
    copyFileSync(from, join(folder, to));
    return to;
  };
  /** Whether this compiler knows such hardware; if not, that is kept. */
  const knows = (what: string, change: HardwareChange): boolean => {
    const loaded = loadWithHardware(join(root, QUICKSTART), change);
    if (loaded.ok) return true;
    refused.push({ what, why: loaded.diagnostics.map(oneLine).join("\n").replaceAll(root, "") });
    return false;
  };
  const [device = "gpu"] = devices;
  const known = precisions.filter((precision) =>
    knows(`xla ${device} ${precision}`, { engine: "xla", device, precision }),
  );

  const wanted = sizes.filter(({ name }) => only === undefined || only.includes(name));
  const facts = wanted.map(factsOfSize);
  const drivers: Driver[] = [];
  for (const { name, file, isSmall } of wanted) {
    for (const precision of known.filter((each) => isSmall || each === "bf16")) {
      tell(`step of ${name}, ${precision}`);
      const driver = await buildDriver(file, { engine: "xla", device, precision });
      drivers.push({ size: name, precision, file: copy(driver, `drivers/${name}-${precision}.cjs`) });
    }
  }

  const traces: TraceProgram[] = [];
  for (const { trace, paths } of recordedTraces()) {
    tell(`trace ${trace}`);
    const file = paths
      .map((path) => copy(path, `traces/${basename(path)}`))
      .find((path) => path.endsWith(".safetensors"));
    const [path = ""] = paths;
    for (const precision of new Set<CheckPrecision>(["fp32", ...known])) {
      const made = await replayBundle(path, { hardware: { precision } });
      if (!made.ok) throw new Error(`internal: the compiler's own step does not fit ${trace}`);
      const name = put(`traces/${trace}-${precision}.cjs`, made.text);
      traces.push({ trace, precision, program: name, file: file ?? "" });
    }
  }

  const trainers: QuickstartTrainer[] = [];
  const runs = [
    { engine: "onnx", device: "cpu", precision: "fp32" as const },
    ...devices.flatMap((each) => precisions.map((precision) => ({ engine: "xla", device: each, precision }))),
  ];
  for (const run of runs) {
    const name = `${run.engine}-${run.device}-${run.precision}`;
    tell(`quickstart, ${name}`);
    const text = await trainerOf(run);
    if (text !== null) trainers.push({ ...run, file: put(`quickstart/${name}.cjs`, text) });
  }

  tell("doctor, packages, Node");
  put("doctor.cjs", await trialBundle());
  // A folder that calls itself ijepa is where the doctor looks for packages.
  put("package.json", `${JSON.stringify({ name: "ijepa", version: packageVersion() }, null, 2)}\n`);
  put("main.mjs", await mainProgram());
  for (const script of ["pytorch_step.py", "jax_step.py"]) copy(join(root, "bench/peers", script), `peers/${script}`);
  const needs = needsOf(specOf(QUICKSTART).spec);
  const { roots, missing } = nativePackages(needs, root);
  if (missing.length > 0) throw new Error(`not installed: ${missing.map(({ packages: [name] }) => name).join(", ")}`);
  for (const { from, to } of filesOfPackages(roots)) copy(from, to);
  copy(realpathSync(process.execPath), "bin/node");
  const manifest: Manifest = {
    version: packageVersion(),
    precisions: known,
    sizes: facts,
    drivers,
    traces,
    trainers,
    refused,
  };
  put("manifest.json", `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

function specOf(file: string) {
  const loaded = loadWithHardware(join(root, file), {});
  if (!loaded.ok) throw new Error(loaded.diagnostics.map(oneLine).join("\n"));
  return loaded;
}

/** Operations of the program that is timed alone; of the network what the peers have to know. */
function factsOfSize({ name, title, file, isSmall }: Size): SizeFacts {
  const { plan, step } = build(specOf(file));
  const { experiment } = plan;
  if (experiment.objective !== "ijepa") throw new Error(`internal: the peers do not know ${experiment.objective}`);
  const { encoder, predictor, image, masks, optimizer } = experiment;
  const [program] = [...masks.programs].sort((a, b) => b.probability - a.probability);
  if (program === undefined) throw new Error(`internal: ${name} has no program`);
  const alone = {
    ...plan,
    experiment: { ...experiment, masks: { ...masks, programs: [{ ...program, probability: 1 }] } },
  };
  const { parameters, memory, flopsPerStep } = factsOf(step, alone);
  const flags: Readonly<Record<string, number>> = {
    ...{ dim: encoder.dim, depth: encoder.depth, heads: encoder.heads, mlp: encoder.hidden / encoder.dim },
    ...{ pdim: predictor.dim, pdepth: predictor.depth, pheads: predictor.heads },
    ...{ image: image.height, patch: image.patch, batch: optimizer.deviceBatch, blocks: masks.targetCount },
  };
  return {
    name,
    title,
    isSmall,
    batch: optimizer.deviceBatch,
    contextTokens: program.contextTokens,
    targetTokens: program.targetTokens,
    flopsPerStep: flopsPerStep.total,
    parameters: allParameters(parameters),
    memoryEstimateBytes: memory.totalBytes,
    peer: Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, String(value)]),
  };
}

/** The recorded runs, each with its JSON file; one of several ranks also with the weights that it began with. */
function recordedTraces(): readonly { readonly trace: string; readonly paths: readonly string[] }[] {
  const folder = join(root, "tests/golden/official");
  return (
    readdirSync(folder)
      .filter((name) => /^(step|ddp\d*)_.*\.safetensors$/.test(name))
      // That of one rank and no odd sizes comes first: it has the fewest programs.
      .sort((a, b) => (a > b ? -1 : 1))
      .map((name) => {
        const path = join(folder, name);
        const paths = [path, path.replace(/\.safetensors$/, ".json")].filter((each) => existsSync(each));
        return { trace: name.replace(/\.safetensors$/, ""), paths };
      })
  );
}

/** Null: this compiler refuses such hardware. */
async function trainerOf(change: HardwareChange): Promise<string | null> {
  const file = join(root, QUICKSTART);
  const loaded = loadWithHardware(file, change);
  if (!loaded.ok) return null;
  const out = join(packageRoot(), "generated");
  const {
    good: [good],
    faults: [fault],
  } = compiled(out, [namedSpec(file, loaded)]);
  if (good === undefined) throw fault ?? new Error("internal: a spec gave neither a trainer nor a fault");
  return await bundle(bundleInput(good.compiled));
}

/** main.ts as one file. What compiles stays out: the doctor only wants it where no program was made before. */
async function mainProgram(): Promise<string> {
  const { outputFiles } = await esbuild({
    absWorkingDir: root,
    entryPoints: ["bench/gpu-check/main.ts"],
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
    target: "node20.9",
    external: ["./trial-bundle"],
    // Packages of CommonJS ask for Node's modules by `require`.
    banner: {
      js: 'import { createRequire as requireOf } from "node:module"; const require = requireOf(import.meta.url);',
    },
    logLevel: "silent",
    legalComments: "none",
  });
  return outputFiles[0]?.text ?? "";
}
