/** `ijepa serve [FOLDER]`: the runs below a folder as pages on this machine, up to date while they train. */
import { existsSync } from "node:fs";
import { errors, exitCode } from "../compiler/diagnostics/catalogue";
import { type Diagnostic, unplaced } from "../compiler/diagnostics/diagnostic";
import { isLoopback } from "../tools/serve/host";
import { serve } from "../tools/serve/serve";
import { printDiagnostics } from "./print";

export interface ServeOptions {
  readonly port: string;
  readonly host: string;
  readonly data: string;
}

/** Resolves to the exit code when it is stopped: 0, or 2 where it could not begin. */
export async function serveCommand(folder: string, { port, host, data }: ServeOptions): Promise<number> {
  const number = Number(port);
  if (!/^\d+$/.test(port) || number > 65_535) {
    return told(
      unplaced(
        null,
        errors.badUsage({
          what: `--port is ${JSON.stringify(port)}`,
          hint: "It takes a number from 0 to 65535; 0 is any that is free.",
        }),
      ),
    );
  }
  if (!existsSync(folder)) return told(unplaced(folder, errors.nothingToServe()));
  const serving = await serve({ folder, host, port: number, root: data });
  if ("why" in serving) return told(unplaced(null, errors.cannotServe({ host, port: number, why: serving.why })));
  if (!isLoopback(host)) printDiagnostics([unplaced(null, errors.servedToOthers({ host }))]);
  process.stdout.write(`${serving.address} shows the runs in ${folder}. Ctrl-C ends it.\n`);
  await stopped();
  await serving.close();
  return 0;
}

function stopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => resolve());
  });
}

function told(diagnostic: Diagnostic): number {
  printDiagnostics([diagnostic]);
  return exitCode([diagnostic]);
}
