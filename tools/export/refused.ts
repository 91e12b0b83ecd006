/** An export that cannot be made, with the sentence that says why. */
import type { Problem } from "../../compiler/diagnostics/diagnostic";

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
