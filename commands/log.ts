/** `ijepa log push RUN`: sends a run's log to the servers that have not got all of it. */
import { errors, exitCode } from "../compiler/diagnostics/catalogue";
import { unplaced } from "../compiler/diagnostics/diagnostic";
import { addressProblem, addressWanted } from "../runtime/loggers/address";
import { pushLog } from "../tools/log/push";
import { printDiagnostics } from "./print";

export interface LogOptions {
  readonly mlflow?: string;
  readonly trackio?: string;
}

/** Resolves to the exit code: 0 the servers have all of it, 1 one of them has not, 2 there is nothing to send or no server. */
export async function log(_action: "push", run: string, addresses: LogOptions): Promise<number> {
  const unfit = Object.entries(addresses).flatMap(([name, text]) => {
    const problem = addressProblem(text);
    if (problem === null) return [];
    return [unplaced(null, errors.badUsage({ what: `--${name}: ${problem}`, hint: `It is ${addressWanted}.` }))];
  });
  if (unfit.length > 0) return told(unfit);
  const note = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  const result = await pushLog({ run, addresses, variables: process.env, note });
  if (!result.ok) return told([unplaced(run, result.problem)]);
  for (const { address, rows, isAll } of result.pushed) {
    if (isAll) process.stdout.write(`${address} has the whole log; ${rows} rows were sent now.\n`);
  }
  return result.pushed.every(({ isAll }) => isAll) ? 0 : 1;
}

function told(diagnostics: Parameters<typeof printDiagnostics>[0]): number {
  printDiagnostics(diagnostics);
  return exitCode(diagnostics);
}
