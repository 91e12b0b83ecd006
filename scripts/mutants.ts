/**
 * How many wrong edits of a generated step.ts its types refuse, by kind: mutants of the quickstart and of ViT-H/14, or of
 * the trainers that are named, methods of experiments/methods among them.
 *
 *   npx tsx scripts/mutants.ts [--seed N] [--of-each-kind N] [--kind "a size changed"] [--of accumulated,bf16,sharded,mae]
 */
import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { type Compiled, compile } from "../compiler/compile";
import { specOf } from "../compiler/spec/load";
import { readSpec } from "../compiler/spec/read";
import { kinds } from "../tests/support/mutants";
import { type Verdict, verdictsOf } from "../tests/support/refused";

const { values: flags } = parseArgs({
  options: {
    seed: { type: "string", default: "0" },
    "of-each-kind": { type: "string", default: "60" },
    kind: { type: "string" },
    of: { type: "string" },
  },
});

function ofFile(path: string, settings: readonly string[] = []): Compiled {
  const loaded = specOf(readSpec(path), { settings });
  if (!loaded.ok) throw new Error(`${path} is not valid: ${JSON.stringify(loaded.diagnostics)}`);
  return compile(loaded);
}

const quickstart = "experiments/quickstart.json";
const methodsFolder = "experiments/methods";
const methods = readdirSync(methodsFolder).filter((name) => name.endsWith(".json"));
const subjects: Readonly<Record<string, () => Compiled>> = {
  quickstart: () => ofFile(quickstart),
  "ViT-H/14": () => ofFile("experiments/official/in1k_vith14_ep300.json"),
  accumulated: () => ofFile(quickstart, ["optimization.accumulation=2", "optimization.clipNorm=3"]),
  bf16: () => ofFile(quickstart, ["hardware.engine=xla", "hardware.precision=bf16"]),
  ...Object.fromEntries(methods.map((name) => [basename(name, ".json"), () => ofFile(join(methodsFolder, name))])),
  sharded: () => ofFile(quickstart, ["hardware.gpus=4", "hardware.shardOptimizer=true"]),
};
const names = flags.of?.split(",") ?? ["quickstart", "ViT-H/14"];
const trainers = names.map((name) => {
  const compiled = subjects[name];
  if (compiled === undefined) throw new Error(`--of takes ${Object.keys(subjects).join(", ")}; found ${name}`);
  return [name, compiled] as const;
});

const chosen = kinds.filter((kind) => flags.kind === undefined || kind === flags.kind);
const sample = { seed: Number(flags.seed), ofEachKind: Number(flags["of-each-kind"]), kinds: chosen };
const verdicts = trainers.map(([name, compiled]) => ({ name, all: verdictsOf(compiled(), sample) }));

const share = (of: readonly Verdict[]): string => {
  const refused = of.filter(({ refused }) => refused).length;
  return of.length === 0 ? "–" : `${refused} of ${of.length}, ${((100 * refused) / of.length).toFixed(1)} %`;
};
const table = new Table({
  head: [`mutants, seed ${flags.seed}`, ...verdicts.map(({ name }) => name)],
  style: { head: [], border: [] },
});
for (const kind of chosen)
  table.push([kind, ...verdicts.map(({ all }) => share(all.filter((v) => v.mutant.kind === kind)))]);
table.push(["all", ...verdicts.map(({ all }) => share(all))]);
console.log(table.toString());
const short = (text: string): string => text.replaceAll(/\s+/g, " ").slice(0, 60);
for (const { name, all } of verdicts) {
  for (const { mutant, refused } of all) {
    if (refused) continue;
    const { kind, line, from, to } = mutant;
    console.log(`${name} step.ts:${line}: ${kind}: ${short(from)} → ${to === "" ? "(nothing)" : short(to)}`);
  }
}
