/** A recorded run as one file that plain node runs. */
import { join } from "node:path";
import { bundle } from "../../compiler/bundle/bundle";
import { type TypeFault, typeFaults } from "../../compiler/emit/check";
import type { GeneratedCode } from "../../compiler/emit/code";
import { packageRoot } from "../../compiler/emit/package-root";
import type { Experiment } from "../../runtime/experiment";
import { openTrace } from "../../runtime/replay/trace";
import { sizesOf } from "../../runtime/step/agree";
import { type CompiledReplay, compileReplay, type ReplayCode } from "./compile";

export interface ReplayBundleOptions extends ReplayCode {
  /** The file with the initial weights, where the trace has none and they do not lie beside it. */
  readonly init?: string | undefined;
}

export type ReplayBundle =
  | { readonly ok: true; readonly text: string; readonly compiled: CompiledReplay }
  /** A step that was given does not fit the recording. */
  | { readonly ok: false; readonly faults: readonly TypeFault[]; readonly compiled: CompiledReplay };

/** The program of a trace; throws UserError where the trace cannot be read. */
export async function replayBundle(file: string, { init, ...code }: ReplayBundleOptions = {}): Promise<ReplayBundle> {
  const compiled = await compiledTrace(file, { init, ...code });
  const { plan, files } = compiled;
  const sizes = code.step === undefined ? [] : otherSizes(code.step, plan.experiment);
  if (sizes.length > 0) return { ok: false, faults: sizes, compiled };
  const faults = faultsOf(compiled);
  if (faults.length > 0 && code.step !== undefined) return { ok: false, faults, compiled };
  refuseFaults(compiled, faults);
  return { ok: true, text: await bundle({ files, banner: "" }), compiled };
}

/** Sizes that a step declares and the recording does not have: with them everything else would be wrong too. */
function otherSizes(step: readonly GeneratedCode[], experiment: Experiment): readonly TypeFault[] {
  const wanted = new Map(Object.entries(sizesOf(experiment)));
  return step.flatMap(({ name: file, text }) =>
    text.split("\n").flatMap((line, i) => {
      const [, name = "", found = ""] = /^export const (\w+) = (\d+);/.exec(line) ?? [];
      const size: unknown = wanted.get(name);
      if (size === undefined || size === Number(found)) return [];
      const message = `${name} is ${found} here, and ${size} in the recording`;
      return [{ file, line: i + 1, column: 1, length: line.indexOf(";"), message }];
    }),
  );
}

/** The trainer of a trace, not yet checked; throws as above. */
export async function compiledTrace(
  file: string,
  { init, ...code }: ReplayBundleOptions = {},
): Promise<CompiledReplay> {
  const trace = await openTrace(file, { init });
  try {
    return compileReplay(trace, code);
  } finally {
    await trace.close();
  }
}

/** One file of a compiled replay, type-checked first. */
export function bundled(compiled: CompiledReplay): Promise<string> {
  refuseFaults(compiled, faultsOf(compiled));
  return bundle({ files: compiled.files, banner: "" });
}

function faultsOf({ plan, typescript }: CompiledReplay): readonly TypeFault[] {
  return typeFaults(join(packageRoot(), "generated", plan.experiment.name), typescript);
}

function refuseFaults({ plan }: CompiledReplay, faults: readonly TypeFault[]): void {
  if (faults.length === 0) return;
  const shown = faults.slice(0, 5).map(({ file, line, message }) => `${file}:${line}: ${message}`);
  throw new Error(`internal: generated code of ${plan.experiment.name} does not type-check:\n  ${shown.join("\n  ")}`);
}
