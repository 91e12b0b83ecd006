/** The table of docs/parity.md, from docs/parity.json. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { MeasuredTrace } from "./parity-run";

const docs = fileURLToPath(new URL("../docs", import.meta.url));
const [begin, end] = ["<!-- measured:begin -->", "<!-- measured:end -->"];

/** docs/parity.md with its table as it should be. */
export function parityPage(): string {
  const page = readFileSync(join(docs, "parity.md"), "utf8");
  const results: readonly MeasuredTrace[] = JSON.parse(readFileSync(join(docs, "parity.json"), "utf8"));
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/parity.md lacks ${begin} … ${end}`);
  return `${page.slice(0, from + begin.length)}\n\n${table(results)}\n\n${page.slice(to)}`;
}

function table(results: readonly MeasuredTrace[]): string {
  const groups = [...new Set(results.flatMap((result) => result.groups.map(({ group }) => group)))];
  const cells = groups.map((group) => [
    group,
    ...results.map((result) => {
      const found = result.groups.find((one) => one.group === group);
      return found === undefined ? "–" : `${found.share} (${found.tensors})`;
    }),
  ]);
  const engineOf = ({ engine }: MeasuredTrace): string => (engine.includes("float64") ? "float64" : "onnxruntime");
  const heads = [
    "",
    ...results.map((result) => `\`${result.trace.replace(/_official_init$|_perturbed$/, "")}\`, ${engineOf(result)}`),
  ];
  return [heads, heads.map(() => "---"), ...cells].map((row) => `| ${row.join(" | ")} |`).join("\n");
}
