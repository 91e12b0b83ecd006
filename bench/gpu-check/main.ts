/**
 * The check itself, on the machine with the GPU: runs its parts one after the other, each in processes of its own with a
 * time limit, and writes everything that is known after each of them. `sh run.sh --help` lists its flags.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { messageOf } from "../../runtime/exceptions";
import { killAll, runChild } from "./child";
import { doctor } from "./doctor";
import { machineOf, watchCard } from "./machine";
import type { Manifest } from "./manifest";
import { type Part, partsOf } from "./parts";
import { lastWords, stateOf } from "./read";
import type { GpuRecord, PartRecord } from "./record";
import { workFolder } from "./work-folder";

const HELP = `sh run.sh [flags]
  --out FILE            where the JSON goes (gpu.json)
  --minutes N           for all parts together (8); with more, each part has more
  --limit SECONDS       the most that a part has, where its own limit is longer
  --device gpu|cpu      of the engine xla (gpu)
  --small               small sizes, for a processor
  --only TEXT           only parts whose names have this in them; with commas
  --skip TEXT           not those
  --resume              keeps what FILE has of parts that ran, and runs the others
  --list                says which parts there are
  --pjrt-plugin FILE    otherwise IJEPA_PJRT_PLUGIN, or the one of Python's packages
  --python FILE         the Python with torch and jax (of the active environment, or python3)
`;

const folder = dirname(fileURLToPath(import.meta.url));
/** A part is not begun with less time than this. */
const LEAST_SECONDS = 5;
const MS_AFTER_LATE = 3000;
/** The limits of parts are made for so many minutes. */
const USUAL_MINUTES = 8;

const options = {
  out: { type: "string", default: "gpu.json" },
  minutes: { type: "string", default: "8" },
  limit: { type: "string", default: "3600" },
  device: { type: "string", default: "gpu" },
  small: { type: "boolean", default: false },
  only: { type: "string" },
  skip: { type: "string" },
  resume: { type: "boolean", default: false },
  list: { type: "boolean", default: false },
  "pjrt-plugin": { type: "string" },
  python: { type: "string" },
  doctor: { type: "string" },
  help: { type: "boolean", default: false },
} as const;

type Flags = ReturnType<typeof parseArgs<{ readonly options: typeof options }>>["values"];

async function main(): Promise<number> {
  let flags: Flags;
  try {
    flags = parseArgs({ options }).values;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    return 2;
  }
  const minutes = Number(flags.minutes);
  if (flags.help || !(minutes > 0) || !(Number(flags.limit) > 0) || !["gpu", "cpu"].includes(flags.device ?? "")) {
    (flags.help ? process.stdout : process.stderr).write(HELP);
    return flags.help ? 0 : 2;
  }
  if (flags.doctor !== undefined) {
    await doctor(folder, join(folder, "doctor.cjs"), flags.doctor.split(","));
    return 0;
  }
  return await check(flags, minutes * 60);
}

async function check(flags: Flags, limitSeconds: number): Promise<number> {
  const begun = performance.now();
  const elapsed = (): number => (performance.now() - begun) / 1000;
  const { device = "gpu", small = false, out = "gpu.json" } = flags;
  const file = resolve(out);
  // payload.ts writes it.
  const manifest = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")) as Manifest;
  const { machine, python } = machineOf({ python: flags.python, device, plugin: flags["pjrt-plugin"] });
  const work = workFolder([dirname(file), folder]);
  if (work === null) {
    process.stderr.write("No folder for temporary files can be written; TMPDIR=FOLDER names one.\n");
    return 2;
  }
  const has = (name: string, texts: string): boolean => texts.split(",").some((text) => name.includes(text.trim()));
  const share = Math.max(1, limitSeconds / 60 / USUAL_MINUTES);
  const parts = partsOf({ manifest, folder, work, machine, device, small, python })
    .map((part) => ({ ...part, limitSeconds: Math.min(Math.round(part.limitSeconds * share), Number(flags.limit)) }))
    .filter(({ name }) => flags.only === undefined || has(name, flags.only))
    .filter(({ name }) => flags.skip === undefined || !has(name, flags.skip));
  if (flags.list) {
    process.stdout.write(parts.map(({ name, limitSeconds: limit }) => `${name} (at most ${limit} s)\n`).join(""));
    rmSync(work, { recursive: true, force: true });
    return 0;
  }
  const before = flags.resume ? readRecord(file) : [];
  const records = new Map(before.filter(({ state }) => state === "ok").map((part) => [part.name, part]));
  const save = (): void => {
    const record: GpuRecord = {
      date: new Date().toISOString().slice(0, 10),
      version: manifest.version,
      seconds: elapsed(),
      device,
      small,
      machine,
      sizes: manifest.sizes.filter(({ isSmall }) => isSmall === small),
      refused: manifest.refused,
      parts: [...records.values()],
    };
    writeWhole(file, `${JSON.stringify(record, null, 2)}\n`);
  };
  /** Begun and not ended. */
  let current: Part | undefined;
  const stop = (signal: NodeJS.Signals): void => {
    killAll();
    if (current !== undefined)
      records.set(current.name, { ...notBegun(current), problem: `${signal} came meanwhile.` });
    save();
    rmSync(work, { recursive: true, force: true });
    process.exit(signal === "SIGINT" ? 130 : 143);
  };
  try {
    save();
  } catch (error) {
    process.stderr.write(`${file} cannot be written (${messageOf(error)}); --out FILE names another place.\n`);
    rmSync(work, { recursive: true, force: true });
    return 2;
  }
  process.on("SIGINT", stop).on("SIGTERM", stop).on("SIGHUP", stop);
  try {
    for (const part of parts.filter(({ name }) => !records.has(name))) {
      const left = limitSeconds - elapsed();
      current = part;
      const record =
        left < LEAST_SECONDS
          ? notBegun(part)
          : await runPart(part, Math.min(part.limitSeconds, left), { work, machine });
      current = undefined;
      records.set(part.name, record);
      save();
      process.stderr.write(`${lineOf(record)}\n`);
      // A process that was killed holds its memory of the card for a moment longer.
      if (record.state === "late" && machine.card !== null) await sleep(MS_AFTER_LATE);
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  process.stdout.write(`${file}\n`);
  // What is not on the machine is an answer; what ran and failed is for somebody to look at.
  return [...records.values()].some(({ state }) => state === "failed") ? 1 : 0;
}

const notBegun = ({ name, limitSeconds }: Part): PartRecord => {
  return { name, state: "not begun", seconds: 0, limitSeconds, result: null, problem: null, card: null };
};

async function runPart(
  { name, command, args, env, read }: Part,
  limitSeconds: number,
  { work, machine }: { readonly work: string; readonly machine: GpuRecord["machine"] },
): Promise<PartRecord> {
  const watched = machine.card === null ? null : watchCard();
  const plugin = machine.plugin === null ? {} : { IJEPA_PJRT_PLUGIN: machine.plugin };
  const ended = await runChild({
    command,
    args,
    folder: work,
    env: { ...process.env, ...writable(work), TF_CPP_MIN_LOG_LEVEL: "2", ...plugin, ...env },
    limitSeconds,
  });
  const card = watched?.stop() ?? null;
  const result = read(ended.stdout);
  const state = stateOf(ended, result !== null);
  const problem = state === "ok" ? null : lastWords(ended);
  return { name, state, seconds: ended.seconds, limitSeconds, result, problem, card };
}

/**
 * Where libraries write, which may be nowhere else here: compiled programs of XLA, Triton and PyTorch, files for ptxas. So
 * nothing was compiled before either, and every part says how long that takes.
 */
const writable = (work: string): Readonly<Record<string, string>> => ({
  // Packages of the user's own lie in HOME.
  ...{
    HOME: process.env.HOME || work,
    TMPDIR: work,
    XDG_CACHE_HOME: join(work, "cache"),
    IJEPA_XLA_CACHE: join(work, "cache", "xla"),
  },
  ...{ TORCHINDUCTOR_CACHE_DIR: join(work, "cache", "inductor"), TRITON_CACHE_DIR: join(work, "cache", "triton") },
  ...{ CUDA_CACHE_PATH: join(work, "cache", "cuda") },
});

function lineOf({ name, state, seconds, result, problem }: PartRecord): string {
  const said =
    result?.kind === "step"
      ? `${result.imagesPerS.toFixed(1)} images/s${result.shareOfPeak === null ? "" : `, ${(100 * result.shareOfPeak).toFixed(1)} % of the peak`}`
      : result?.kind === "trace"
        ? `${result.holding} of ${result.tensors} tensors hold`
        : result?.kind === "run"
          ? `loss ${result.firstLoss.toFixed(4)} → ${result.lastLoss.toFixed(4)}`
          : (problem?.split("\n").at(-1) ?? "");
  return `${state.padEnd(9)} ${seconds.toFixed(0).padStart(4)} s  ${name}: ${said}`;
}

function readRecord(file: string): readonly PartRecord[] {
  try {
    return (JSON.parse(readFileSync(file, "utf8")) as GpuRecord).parts;
  } catch {
    return []; // There is none yet.
  }
}

/** A kill in the middle leaves what was there before. */
function writeWhole(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.tmp`, text);
  renameSync(`${file}.tmp`, file);
}

process.exitCode = await main();
