/** The constants of an experiment, out of a checkpoint or a run folder. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Experiment, ObjectiveName } from "../../runtime/experiment";
import { runFiles } from "../../runtime/loop/run-folder";
import { objectives } from "../../runtime/objectives";

type Fields = Readonly<Record<string, unknown>>;
const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null;
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) > 0;
const isChannels = (value: unknown): boolean =>
  Array.isArray(value) && value.length === 3 && value.every((entry) => Number.isFinite(entry));

/** What an export reads, by path, and what it has to be. */
const wanted = (networks: readonly string[]): readonly (readonly [path: string, is: (value: unknown) => boolean])[] => [
  ["name", (value) => typeof value === "string" && /^[\w.-]{1,200}$/.test(value) && !/^\.+$/.test(value)],
  ...["height", "width", "patch"].map((field) => [`image.${field}`, isCount] as const),
  ["image.mean", isChannels],
  ["image.std", isChannels],
  ...["dim", "depth", "heads", "hidden"].flatMap((field) =>
    networks.map((network) => [`${network}.${field}`, isCount] as const),
  ),
  ["data.kind", (value) => ["shapes", "folder", "webdataset", "parquet"].some((kind) => kind === value)],
  ["optimizer.globalBatch", isCount],
  ["optimizer.epochs", isCount],
];

/** The experiment in a text, or the first constant that it lacks. */
export function experimentOf(text: string): { readonly experiment: Experiment } | { readonly lacks: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { lacks: "experiment" };
  }
  const at = (path: string): unknown =>
    path.split(".").reduce<unknown>((of, field) => (isFields(of) ? of[field] : undefined), value);
  // Earlier versions trained one objective, and did not say which.
  const said = at("objective") ?? "ijepa";
  const names = Object.keys(objectives) as ObjectiveName[]; // the keys of a total table
  const objective = names.find((name) => name === said);
  if (objective === undefined) return { lacks: "experiment.objective" };
  const { second } = objectives[objective].recorded;
  const lacking = wanted(["encoder", ...(second === null ? [] : [second.name])]).find(([path, is]) => !is(at(path)));
  if (lacking !== undefined) return { lacks: `experiment.${lacking[0]}` };
  // A trainer wrote its own constants; what is read of them here was just looked at.
  return { experiment: withChoices(value, objective) as Experiment };
}

/** Runs of before there was a choice do not say what they did. */
function withChoices(value: unknown, objective: ObjectiveName): unknown {
  if (!isFields(value)) return value;
  if (objective !== "ijepa") return { ...value, objective };
  const masks = isFields(value.masks) ? { strategy: "multiblock", ...value.masks } : value.masks;
  return { targetsMaskedAt: "output", ...value, objective, masks };
}

/** The name of a run's experiment; null where the folder is no run. */
export function nameOfRun(folder: string): string | null {
  let text: string;
  try {
    text = readFileSync(join(folder, runFiles.experiment), "utf8");
  } catch {
    return null;
  }
  const read = experimentOf(text);
  return "experiment" in read ? read.experiment.name : null;
}
