/** The tables of docs/parity.md, from docs/parity.json. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { MeasuredTrace } from "./parity-run";
import { pageWith, root } from "./regions";

/** docs/parity.md with its tables as they should be. */
export function parityPage(): string {
  const results: readonly MeasuredTrace[] = JSON.parse(readFileSync(join(root, "docs/parity.json"), "utf8"));
  const of = (wanted: MeasuredTrace["precision"]) => results.filter(({ precision }) => precision === wanted);
  return pageWith("docs/parity.md", { measured: table(of("fp32")), bf16: table(of("bf16")) });
}

function table(results: readonly MeasuredTrace[]): string {
  if (results.length === 0) return "Nothing was measured yet (`npx tsx scripts/parity-run.ts`).";
  const groups = [...new Set(results.flatMap((result) => result.groups.map(({ group }) => group)))];
  const cells = groups.map((group) => [
    group,
    ...results.map((result) => {
      const found = result.groups.find((one) => one.group === group);
      return found === undefined ? "–" : `${found.share} (${found.tensors})`;
    }),
  ]);
  const engineOf = ({ engine }: MeasuredTrace): string =>
    engine.includes("float64") ? "float64" : engine.startsWith("XLA") ? "XLA" : "onnxruntime";
  const heads = [
    "",
    ...results.map((result) => `\`${result.trace.replace(/_official_init$|_perturbed$/, "")}\`, ${engineOf(result)}`),
  ];
  return [heads, heads.map(() => "---"), ...cells].map((row) => `| ${row.join(" | ")} |`).join("\n");
}
