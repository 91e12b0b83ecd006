/**
 * The entry of a compiled replay. Its arguments are those that `ijepa replay` passes on: the trace, the engine, and how to
 * report. It ends with 0 where everything holds, 1 where something differs, 2 where the trace cannot be read.
 */

import type { AnyEngineName, DeviceName } from "../engines/engine";
import { openEngine } from "../engines/open";
import { UserError } from "../errors";
import { checkSizes } from "../step/agree";
import { follow, type ReplayProgram } from "./follow";
import { holds, reportJson, reportText } from "./outcome";
import { takingNormalized } from "./pixels";
import { openTrace } from "./trace";

/** How `ijepa replay` starts a compiled replay: one JSON text as the only argument. */
export interface ReplayRequest {
  readonly trace: string;
  readonly init?: string | undefined;
  readonly engine: AnyEngineName;
  readonly device: DeviceName;
  readonly threads: number;
  readonly output: "every tensor" | "summary" | "json";
  readonly colour: boolean;
}

export function replay(program: ReplayProgram): void {
  // The command passes what it made of its own arguments; nobody else starts a replay.
  const request = JSON.parse(process.argv[2] ?? "null") as ReplayRequest;
  run(program, request).then(
    (code) => {
      process.exitCode = code;
    },
    (error: unknown) => {
      process.exitCode = 2;
      const isKnown = error instanceof UserError;
      const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
      process.stderr.write(isKnown ? `${error.code}: ${error.message}\n` : `This is a fault of ijepa:\n${stack}\n`);
    },
  );
}

async function run(program: ReplayProgram, request: ReplayRequest): Promise<number> {
  checkSizes(program.experiment, program.sizes);
  const trace = await openTrace(request.trace, request);
  const notes: string[] = [];
  const engine = await openEngine(request.engine, {
    threads: request.threads,
    device: request.device,
    precision: program.experiment.hardware.precision,
    note: (line) => notes.push(line),
  });
  try {
    const followed = await follow(takingNormalized(program), trace, engine);
    const { casts } = program;
    const outcome = { trace, casts, engine: [engine.description, ...notes].join("; "), ...followed };
    const text =
      request.output === "json"
        ? `${JSON.stringify(reportJson(outcome), null, 2)}\n`
        : reportText(outcome, { colour: request.colour, every: request.output === "every tensor" });
    process.stdout.write(text);
    return holds(outcome) ? 0 : 1;
  } finally {
    await engine.release();
    await trace.close();
  }
}
