/**
 * Takes the JSON of a GPU check into docs/gpu.json and writes docs/gpu.md from it:
 *
 *   npx tsx scripts/gpu-record.ts gpu.json
 *   npx tsx scripts/gpu-record.ts --on HOST [flags of run.sh]    first takes gpu-check/ there by ssh, runs it, and brings the JSON back
 *
 * HOST is what ssh takes. The package is left there, so that `--resume` does the rest of a run that was cut short.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { isGpuRecord } from "../bench/gpu-check/record";
import { gpuPage } from "./gpu-page";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Under the home of the other machine, and in this folder. */
const FOLDER = "gpu-check";
const FILE = "gpu.json";

class Problem extends Error {}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** Runs the package on another machine; gives the path of its JSON here. */
function runOn(host: string, flags: readonly string[]): string {
  if (host.startsWith("-")) throw new Problem(`--on takes the name of a machine, not ${host}`);
  if (!existsSync(join(FOLDER, "run.sh"))) throw new Problem(`there is no ${FOLDER}/ here: npm run gpu-check makes it`);
  const isThere = spawnSync("ssh", [host, `test -f ${FOLDER}/payload.tar.xz`], { stdio: "inherit" });
  if (isThere.error !== undefined) throw new Problem(`ssh cannot be started: ${isThere.error.message}`);
  const isResumed = flags.includes("--resume") && isThere.status === 0;
  if (!isResumed && spawnSync("scp", ["-q", "-r", FOLDER, `${host}:`], { stdio: "inherit" }).status !== 0) {
    throw new Problem(`${FOLDER}/ cannot be copied to ${host}`);
  }
  const command = `sh ${FOLDER}/run.sh --out ${FILE} ${flags.map(quoted).join(" ")}`;
  // A part that failed is a finding, and a connection that broke leaves what was written before.
  const ran = spawnSync("ssh", [host, command], { stdio: "inherit" });
  if (spawnSync("scp", ["-q", `${host}:${FILE}`, FILE], { stdio: "inherit" }).status !== 0) {
    throw new Problem(`the check ended with ${ran.status} and left no ${FILE} on ${host}`);
  }
  return resolve(FILE);
}

/** Null where the file is no record; the sentence says why. */
function record(path: string): string {
  let found: unknown;
  try {
    found = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new Problem(`${path} is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!isGpuRecord(found)) throw new Problem(`${path} is not what sh gpu-check/run.sh writes`);
  if (found.device !== "gpu" || found.small) {
    throw new Problem(`${path} is of device ${found.device}${found.small ? ", small sizes" : ""}: a trial, not a run`);
  }
  const text = `${JSON.stringify(found, null, 2)}\n`;
  writeFileSync(join(root, "docs/gpu.json"), text);
  writeFileSync(join(root, "docs/gpu.md"), gpuPage());
  const ok = found.parts.filter(({ state }) => state === "ok").length;
  return `docs/gpu.json and docs/gpu.md: ${ok} of ${found.parts.length} parts ran on ${found.machine.card?.name ?? "no NVIDIA card"}`;
}

try {
  const [first, ...rest] = process.argv.slice(2);
  const [host, ...flags] = rest;
  if (first === undefined || (first === "--on" && host === undefined)) {
    throw new Problem("npx tsx scripts/gpu-record.ts gpu.json, or --on HOST [flags of run.sh]");
  }
  console.log(record(first === "--on" && host !== undefined ? runOn(host, flags) : resolve(first)));
} catch (error) {
  if (!(error instanceof Problem)) throw error;
  console.error(`gpu-record: ${error.message}`);
  process.exitCode = 2;
}
