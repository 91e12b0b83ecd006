/** Two sides compared: first what the experiments mean, then the code that was made of them. */
import { type CodeDiff, diffCode } from "./declarations";
import {
  type Batch,
  batchOf,
  type Measure,
  type MovedNumber,
  measuresOfConstants,
  measuresOfFacts,
  movedNumbers,
} from "./derived";
import { changedFields, type FieldChange } from "./meaning";
import { type PassChange, passChanges } from "./passes";
import { type ProgramChange, programChanges } from "./programs";
import type { Side } from "./sources";

export interface Diff {
  readonly a: Pick<Side, "name" | "kind">;
  readonly b: Pick<Side, "name" | "kind">;
  readonly differ: boolean;
  /** Fields of the spec; or, where a side has only constants, constants. */
  readonly compared: "spec" | "constants";
  readonly fields: readonly FieldChange[];
  readonly numbers: readonly MovedNumber[];
  /** Whether operations, memory and passes of both sides are known. */
  readonly knowsCosts: boolean;
  /** Null where the constants do not tell. */
  readonly batch: { readonly a: Batch; readonly b: Batch } | null;
  /** Every program of both sides; empty where they are the same. */
  readonly programs: readonly ProgramChange[];
  readonly passes: readonly PassChange[];
  /** Null where a side has no code. */
  readonly code: CodeDiff | null;
}

export function diffSides(a: Side, b: Side, { teraflops }: { readonly teraflops: number }): Diff {
  const bySpec = a.spec !== null && b.spec !== null;
  const fields = bySpec ? changedFields(a.spec, b.spec) : changedFields(a.constants, b.constants);
  const measures = ({ constants, facts }: Side): readonly Measure[] => [
    ...measuresOfConstants(constants),
    ...(facts === null ? [] : measuresOfFacts(facts, teraflops)),
  ];
  const numbers = movedNumbers(measures(a), measures(b));
  const code = codeOf(a, b);
  const programs = programChanges(a.constants, b.constants);
  const passes = a.passes === null || b.passes === null ? [] : passChanges(a.passes, b.passes);
  const [was, is] = [batchOf(a.constants), batchOf(b.constants)];
  const differ =
    fields.length > 0 || numbers.length > 0 || programs.length > 0 || (code !== null && code.changes.length > 0);
  const side = ({ name, kind }: Side) => ({ name, kind });
  return {
    a: side(a),
    b: side(b),
    differ,
    compared: bySpec ? "spec" : "constants",
    fields,
    numbers,
    knowsCosts: a.facts !== null && b.facts !== null,
    batch: was === null || is === null ? null : { a: was, b: is },
    programs,
    passes,
    code,
  };
}

/** graph.txt and report.md say once more what the code says: they count only where files are compared as they lie. */
function codeOf(a: Side, b: Side): CodeDiff | null {
  if (a.files === null || b.files === null) return null;
  const whole = a.kind === "generated" && b.kind === "generated";
  const [was, is] = [a.files, b.files].map((files) => files.filter(({ name }) => whole || name.endsWith(".ts")));
  const found = diffCode(was ?? [], is ?? []);
  const { roles } = b;
  const changes = found.changes.map((change) => {
    const runs = change.change === "added" ? roles[change.name] : undefined;
    return runs === undefined ? change : { ...change, runs };
  });
  return { ...found, changes };
}
