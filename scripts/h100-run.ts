/**
 * Compiles the released configurations for an H100 that need not be there, and keeps what XLA says of them in
 * docs/h100.json, from which the table of docs/h100.md is made. Minutes for each:
 *
 *   node scripts/pjrt-cuda.mjs && npx tsx scripts/h100-run.ts [--cards 16] [--blocks N] [NAME …] && npm run generate
 *
 * With names (in1k_vith14_ep300, …) only those are compiled anew; with --blocks, networks of so many blocks; with --cards, for
 * so many that share the batch.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Topology } from "../runtime/engines/xla/pjrt/topology";
import { loadPlugin } from "../runtime/engines/xla/plugin/open";
import {
  type CompiledSubject,
  compileOnlyPlugins,
  compileSubject,
  hostsOf,
  officialNames,
  officialSpec,
} from "./h100-compile";

export interface H100Record {
  readonly plugin: string;
  readonly processors: number;
  readonly subjects: readonly CompiledSubject[];
}

const recordFile = fileURLToPath(new URL("../docs/h100.json", import.meta.url));

function readRecord(): H100Record | null {
  try {
    // Written below.
    return JSON.parse(readFileSync(recordFile, "utf8")) as H100Record;
  } catch {
    return null;
  }
}

const orderOf = ({ name }: CompiledSubject): number => officialNames.indexOf(name);

async function main(): Promise<void> {
  const { values, positionals: names } = parseArgs({
    allowPositionals: true,
    options: { blocks: { type: "string" }, cards: { type: "string", default: "1" } },
  });
  const cards = Number(values.cards);
  const blocks = values.blocks === undefined ? undefined : Number(values.blocks);
  const unknown = names.filter((name) => !officialNames.includes(name));
  if (unknown.length > 0) throw new Error(`${unknown.join(", ")}: there are ${officialNames.join(", ")}`);
  const [plugin] = compileOnlyPlugins();
  if (plugin === undefined) throw new Error("No plugin for CUDA is here: node scripts/pjrt-cuda.mjs fetches it.");
  const topology = await Topology.create(loadPlugin(plugin.path, "gpu"), hostsOf(cards));
  for (const name of names.length === 0 ? officialNames : names) {
    const subject = await compileSubject(officialSpec(name, { blocks, cards }), topology);
    const isOther = (one: CompiledSubject): boolean =>
      one.name !== name || one.blocks !== subject.blocks || one.cards !== cards;
    const subjects = (readRecord()?.subjects ?? []).filter(isOther);
    const record: H100Record = {
      plugin: `jax-cuda13-pjrt ${plugin.version}`,
      processors: availableParallelism(),
      subjects: [...subjects, subject].sort(
        (a, b) => a.cards - b.cards || a.blocks - b.blocks || orderOf(a) - orderOf(b),
      ),
    };
    writeFileSync(recordFile, `${JSON.stringify(record, null, 2)}\n`);
    const seconds = subject.functions.reduce((sum, fn) => sum + fn.seconds, 0);
    console.log(`${name}: ${seconds.toFixed(0)} s, ${(subject.deviceBytes / 1e9).toFixed(1)} GB`);
  }
  topology.release();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
