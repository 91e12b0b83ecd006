/** An export that cannot be made, with the sentence that says why. */
import type { Problem } from "../../compiler/diagnostics/diagnostic";
import { UserError } from "../../runtime/errors";

export class ExportRefused extends Error {
  override readonly name = "ExportRefused";
  constructor(
    /** The file or folder that it is about. */
    readonly file: string,
    readonly problem: Problem,
  ) {
    super(problem.what);
  }
}

/** Why something is left out that reads a checkpoint, in a sentence. Throws what is an error for nobody. */
export function whyLeftOut(error: unknown): string {
  if (error instanceof ExportRefused) return error.problem.what;
  if (error instanceof UserError) return `${error.code}: ${error.message}`;
  throw error;
}
