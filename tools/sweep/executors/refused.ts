/** An executor can not do its work, and the person can mend it: the command line shows the problem, not a trace. */
import type { Problem } from "../../../compiler/diagnostics/diagnostic";

export class ExecutorRefused extends Error {
  constructor(readonly problem: Problem) {
    super(`${problem.code}: ${problem.what}`);
  }
}
