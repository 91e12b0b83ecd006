/**
 * How many wrong edits of a generated step.ts its types refuse: mutants of the quickstart and of ViT-H/14, and with
 * `--all` of an accumulated and of a bfloat16 trainer, by kind.
 *
 *   npx tsx scripts/mutants.ts [--seed N] [--of-each-kind N] [--kind "a size changed"] [--all]
 */
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { type Compiled, compile } from "../compiler/compile";
import { loadSpec } from "../compiler/spec/load";
import { kinds } from "../tests/support/mutants";
import { type Verdict, verdictsOf } from "../tests/support/refused";
import { compiledWith, inBfloat16, variations } from "../tests/support/variations";

const { values: flags } = parseArgs({
  options: {
    seed: { type: "string", default: "0" },
    "of-each-kind": { type: "string", default: "60" },
    kind: { type: "string" },
    all: { type: "boolean", default: false },
  },
});

function ofFile(path: string): Compiled {
  const loaded = loadSpec(path);
  if (!loaded.ok) throw new Error(`${path} is not valid`);
  return compile(loaded);
}

const variation = (name: string, change: object = {}): Compiled =>
  compiledWith({ ...variations.find(([each]) => each === name)?.[1], ...change });

const trainers: readonly (readonly [name: string, compiled: () => Compiled])[] = [
  ["quickstart", () => ofFile("experiments/quickstart.json")],
  ["ViT-H/14", () => ofFile("experiments/official/in1k_vith14_ep300.json")],
  ...(flags.all
    ? ([
        ["accumulated", () => variation("accumulation and clipping")],
        ["bf16", () => variation("one block each", inBfloat16)],
      ] as const)
    : []),
];

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
