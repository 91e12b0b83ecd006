/** The table of docs/faults.md: rows of tests/faults/table.ts, with what the tests counted in docs/faults.json. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Fault, faults } from "../tests/faults/table";
import { pageWith, root } from "./regions";

interface Counted {
  readonly date: string;
  readonly times: number;
  readonly came: Readonly<Record<string, number>>;
}

export function faultsPage(): string {
  // Written by tests/faults/trainer.ts, in this form.
  const text = readFileSync(join(root, "docs/faults.json"), "utf8");
  const counted = JSON.parse(text) as Readonly<Record<string, Counted>>;
  const timesOf = ({ id, onlyFull }: Fault): string => {
    const found = counted[id];
    if (found === undefined) return onlyFull === true ? "in every `npm run test:faults`" : "in every run of the tests";
    const came = Object.entries(found.came).map(([what, times]) => `${times} ${what}`);
    return `${found.times}, on ${found.date}${came.length === 0 ? "" : `: ${came.join(", ")}`}`;
  };
  const rows = faults.map((fault: Fault) => [
    fault.fault,
    fault.injected,
    timesOf(fault),
    fault.outcome,
    `[${fault.test[0].replace(/^.*\//, "")}](../${fault.test[0]})`,
  ]);
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const head = ["fault", "how it is injected", "how often", "what comes of it", "test"];
  return pageWith("docs/faults.md", {
    faults: [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n"),
  });
}
