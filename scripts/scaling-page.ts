/** The made parts of docs/scaling.md: what was measured (docs/scaling.json), what the model expects, and its facts. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type ScalingRecord, scalingIntroduction, scalingTable } from "../bench/scaling-record";
import { build } from "../compiler/build";
import { factsOf } from "../compiler/step/facts";
import { loadWithHardware } from "../tools/pack/hardware";
import { expectScaling } from "../tools/scaling/expect";
import { assumed } from "../tools/scaling/hardware";
import { hardwareTables, scalingText } from "../tools/scaling/text";
import { pageWith, root } from "./regions";

/** docs/scaling.md with its tables as they should be. */
export function scalingPage(): string {
  return pageWith("docs/scaling.md", { measured: measured(), expected: expected(), hardware: hardwareTables() });
}

function measured(): string {
  // Written by bench/scaling.ts, from this type.
  const record = JSON.parse(readFileSync(join(root, "docs/scaling.json"), "utf8")) as ScalingRecord;
  const tables = record.subjects.map((subject) => scalingTable(subject, record.cores));
  return [scalingIntroduction(record), ...tables].join("\n\n");
}

function expected(): string {
  const hardware = { engine: "xla", device: "gpu", precision: "bf16" };
  const loaded = loadWithHardware(join(root, "bench/experiments/huge-gpu.json"), hardware);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
  const { plan, step } = build(loaded);
  const options = { card: "H100", mfu: assumed.mfu, stepSeconds: null } as const;
  return scalingText(expectScaling(factsOf(step, plan), plan.experiment, options));
}
