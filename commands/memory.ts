/** Whether this machine has the memory that a step takes. */
import { build } from "../compiler/build";
import type { Diagnostic } from "../compiler/diagnostics/diagnostic";
import { precisionsOf } from "../compiler/spec/hardware-rules";
import { specHash } from "../compiler/spec/load";
import { problemAt, type SpecSource } from "../compiler/spec/source";
import type { Spec } from "../compiler/spec/spec";
import { memoryFinding } from "../compiler/spec/warnings";
import { type MemoryEstimate, memoryEstimate } from "../compiler/step/memory";
import type { Trainer } from "../compiler/step/step";
import { machineBytes } from "../runtime/machine-memory";

/** Empty where the step fits. */
export function memoryWarnings(
  { spec, source }: { readonly spec: Spec; readonly source: SpecSource },
  { step, plan }: Trainer,
  bytes = machineBytes(),
): readonly Diagnostic[] {
  const memory = memoryEstimate(step, plan);
  if (memoryFinding(spec, memory, bytes) === null) return [];
  const finding = memoryFinding(spec, memory, bytes, inBfloat16(spec));
  return finding === null ? [] : [problemAt(source, finding.path, finding.problem)];
}

/** What the step would take in bfloat16; null where the engine has none, or it is in bfloat16 already. */
function inBfloat16(spec: Spec): MemoryEstimate | null {
  const { engine, device, precision } = spec.hardware;
  if (precision === "bf16" || !precisionsOf(engine, device).includes("bf16")) return null;
  const other = { ...spec, hardware: { ...spec.hardware, precision: "bf16" as const } };
  const { step, plan } = build({ spec: other, hash: specHash(other) });
  return memoryEstimate(step, plan);
}
