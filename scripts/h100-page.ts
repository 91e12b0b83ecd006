/** The table of docs/h100.md, from docs/h100.json, which scripts/h100-run.ts writes. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { CompiledFunction, CompiledSubject } from "./h100-compile";
import type { H100Record } from "./h100-run";
import { pageWith, root } from "./regions";

const gb = (bytes: number): string => (bytes / 1e9).toFixed(1);

/** docs/h100.md with its table as it should be. */
export function h100Page(): string {
  return pageWith("docs/h100.md", { compiled: table() });
}

function table(): string {
  // Written by scripts/h100-run.ts, from this type.
  const record = JSON.parse(readFileSync(join(root, "docs/h100.json"), "utf8")) as H100Record;
  const heads = [
    "experiment",
    "cards",
    "blocks",
    "images",
    "function",
    "compiled in, s",
    "arguments, GB",
    "temporary, GB",
    "on the card, GB",
    "`inspect` says, GB",
    "ratio",
  ];
  const rows = record.subjects.flatMap((subject) => subject.functions.map((fn) => rowOf(subject, fn)));
  const lines = [heads, heads.map((_, i) => (i === 0 || i === 4 ? "---" : "---:")), ...rows];
  return [
    `By ${record.plugin} on ${record.processors} processors that other work shared, so seconds are an upper bound.`,
    "",
    ...lines.map((cells) => `| ${cells.join(" | ")} |`),
  ].join("\n");
}

/** The function that takes the most stands beside the estimate, which is of the whole step. */
function rowOf(subject: CompiledSubject, { name, seconds, memory, deviceBytes }: CompiledFunction): readonly string[] {
  const { cards, blocks, microBatch, estimatedBytes } = subject;
  const isLargest = deviceBytes === subject.deviceBytes;
  return [
    `\`${subject.name}\``,
    String(cards),
    String(blocks),
    String(microBatch),
    `\`${name}\``,
    seconds.toFixed(0),
    gb(memory.arguments),
    gb(memory.temporary),
    gb(deviceBytes),
    isLargest ? gb(estimatedBytes) : "",
    isLargest ? (deviceBytes / estimatedBytes).toFixed(2) : "",
  ];
}
