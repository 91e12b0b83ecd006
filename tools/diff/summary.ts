/** The five lines that come first: what a change does to steps, programs, costs, passes and code. */
import { countText } from "../../compiler/step/facts";
import type { CodeDiff, DeclarationChange } from "./declarations";
import { type Batch, type MovedNumber, shareText } from "./derived";
import type { Diff } from "./diff";
import { type PassChange, passText } from "./passes";
import type { ProgramChange } from "./programs";

export interface SummaryLine {
  readonly about: string;
  readonly text: string;
}

/** Empty where nothing but fields without a consequence differs. */
export function summaryOf(diff: Diff): readonly SummaryLine[] {
  const { numbers, code, batch, programs, passes } = diff;
  if (numbers.length === 0 && passes.length === 0 && (code === null || code.changes.length === 0)) return [];
  const line = (about: string, text: string | null): readonly SummaryLine[] => (text === null ? [] : [{ about, text }]);
  return [
    ...line("steps", batch && stepsText(batch.a, batch.b)),
    ...line("programs", programsText(programs)),
    ...(diff.knowsCosts ? costLines(numbers) : []),
    ...(diff.knowsCosts ? passLines(passes) : []),
    ...line("code", code && codeText(code)),
  ];
}

const AS_BEFORE = "as before";

function stepsText(a: Batch, b: Batch): string {
  const whole = ({ steps, globalBatch }: Batch): string => `${countText(steps)} of ${countText(globalBatch)} images`;
  const parts = ({ devices, accumulation, deviceBatch }: Batch): string =>
    `${accumulation} ${accumulation === 1 ? "micro-batch" : "micro-batches"} of ${deviceBatch}` +
    (devices === 1 ? "" : ` on each of ${devices} devices`);
  const isWhole = whole(a) === whole(b);
  if (a.accumulation === b.accumulation && a.devices === b.devices)
    return isWhole ? `${whole(b)}, ${AS_BEFORE}` : `${whole(b)} (before: ${whole(a)})`;
  return `${whole(b)} in ${parts(b)} (before: ${isWhole ? "" : `${whole(a)} in `}${parts(a)})`;
}

function programsText(programs: readonly ProgramChange[]): string {
  if (programs.length === 0) return AS_BEFORE;
  const sizes = (side: "a" | "b") => programs.flatMap((each) => each[side] ?? []);
  const [was, is] = [sizes("a"), sizes("b")];
  const context = (all: typeof was): string => all.map(({ contextTokens }) => contextTokens).join(" ");
  const count = was.length === is.length ? `${is.length} ${AS_BEFORE}` : `${was.length} → ${is.length}`;
  const isShort = was.length + is.length <= 16;
  return `${count}${isShort && context(was) !== context(is) ? `, context tokens ${context(was)} → ${context(is)}` : ""}`;
}

function costLines(numbers: readonly MovedNumber[]): readonly SummaryLine[] {
  const moved = (name: string): string => {
    const found = numbers.find((each) => each.name === name);
    return found === undefined ? AS_BEFORE : `${found.texts.join(" → ")} (${shareText(found)})`;
  };
  return [
    { about: "one step", text: moved("operations per step") },
    { about: "memory", text: moved("memory in all (estimate)") },
  ];
}

function passLines(passes: readonly PassChange[]): readonly SummaryLine[] {
  if (passes.length === 0) return [{ about: "passes", text: AS_BEFORE }];
  return passes.map((pass, i) => ({ about: i === 0 ? "passes" : "", text: passText(pass) }));
}

const verbs: { readonly [K in DeclarationChange["change"]]: (change: DeclarationChange) => string | null } = {
  changed: () => null,
  added: ({ name, runs }) => (runs === undefined ? null : `${name} is new: it runs ${runs}`),
  removed: () => null,
  renamed: ({ name, file, was }) =>
    was?.name === name ? `${name} has moved to ${file}` : `${was?.name ?? ""} is called ${name}`,
  split: ({ name, was }) => `${was?.name ?? ""} is split into ${name}`,
  joined: ({ name, was }) => `${was?.name ?? ""} are joined to ${name}`,
};

function codeText({ changes }: CodeDiff): string {
  if (changes.length === 0) return AS_BEFORE;
  const told = changes.map((change) => verbs[change.change](change)).filter((text) => text !== null);
  const rest = changes.length - told.length;
  const others = `${rest} ${told.length === 0 ? "" : "other "}${rest === 1 ? "declaration differs" : "declarations differ"}`;
  return [...told, ...(rest === 0 ? [] : [others])].join("; ");
}
