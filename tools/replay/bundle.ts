/** A recorded run as one file that plain node runs. */
import { join } from "node:path";
import { bundle } from "../../compiler/bundle/bundle";
import { typeErrors } from "../../compiler/emit/check";
import { packageRoot } from "../../compiler/emit/package-root";
import type { Spec } from "../../compiler/spec/spec";
import { openTrace } from "../../runtime/replay/trace";
import { compileReplay } from "./compile";

export interface ReplayBundleOptions {
  /** The file with the initial weights, where the trace has none and they do not lie beside it. */
  readonly init?: string | undefined;
  /** Of the trainer that goes through the trace; what it is called with decides where it runs. */
  readonly hardware?: Spec["hardware"];
}

/** The program of a trace; throws UserError where the trace cannot be read. */
export async function replayBundle(file: string, { init, hardware }: ReplayBundleOptions = {}): Promise<string> {
  const trace = await openTrace(file, { init });
  try {
    const { plan, typescript, files } = compileReplay(trace, hardware);
    const folder = join(packageRoot(), "generated", plan.experiment.name);
    const errors = typeErrors(folder, typescript);
    if (errors.length > 0) {
      const shown = errors.slice(0, 5).join("\n  ");
      throw new Error(`internal: generated code of ${plan.experiment.name} does not type-check:\n  ${shown}`);
    }
    return await bundle({ files, banner: "" });
  } finally {
    await trace.close();
  }
}
