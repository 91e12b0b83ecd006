/** Whether this machine has the memory that a step takes. */
import { totalmem } from "node:os";
import type { Diagnostic } from "../compiler/diagnostics/diagnostic";
import { problemAt, type SpecSource } from "../compiler/spec/source";
import type { Spec } from "../compiler/spec/spec";
import { memoryFinding } from "../compiler/spec/warnings";
import { memoryEstimate } from "../compiler/step/memory";
import type { Trainer } from "../compiler/step/step";

/** What this process may use: a container may have less than its machine. */
export function machineBytes(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

/** Empty where the step fits. */
export function memoryWarnings(
  { spec, source }: { readonly spec: Spec; readonly source: SpecSource },
  { step, plan }: Trainer,
  bytes = machineBytes(),
): readonly Diagnostic[] {
  const finding = memoryFinding(spec, memoryEstimate(step, plan), bytes);
  return finding === null ? [] : [problemAt(source, finding.path, finding.problem)];
}
