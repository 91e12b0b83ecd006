/** Which optimization began or ceased to apply to what, and why. */
import type { PassFact, PassName } from "../../compiler/optimize/pass-facts";

export interface PassChange {
  readonly pass: PassName;
  readonly change: "applies now" | "applies no more" | "applies otherwise";
  /** Functions of step.ts, as `b` calls them; as `a` does where the pass applies no more. */
  readonly functions: readonly string[];
  /** What the function is made of, where the pass joins several. */
  readonly from: readonly string[];
  /** Before, where the pass applied to another function of the same work, or was made of others. */
  readonly before: readonly string[];
  /** One clause; empty where the pass always applies to what it finds. */
  readonly because: string;
  /** Forward operations of the function that it saves, as a share; null where it saves none, or applies to several. */
  readonly saves: number | null;
}

/** In the order of `b`, then what only `a` has; functions that a pass treats alike are one change. */
export function passChanges(a: readonly PassFact[], b: readonly PassFact[]): readonly PassChange[] {
  const [was, is] = [a, b].map((facts) => facts.filter(({ applied }) => applied));
  if (was === undefined || is === undefined) return [];
  const began = is.filter((fact) => !was.some((other) => isSame(fact, other)));
  const ceased = was.filter((fact) => !is.some((other) => isSame(fact, other)));
  /** Facts of `a` that a fact of `b` takes the place of: of the same function, or of one that is part of it now. */
  const replacedBy = (fact: PassFact): readonly PassFact[] =>
    ceased.filter(({ pass, function: name }) => pass === fact.pass && partsOf(fact, is).includes(name));
  const replaced = new Set(began.flatMap(replacedBy));
  const news = began.map((fact): PassChange => {
    const others = replacedBy(fact);
    const isOther = others.some(({ function: name }) => name === fact.function);
    return {
      ...changeOf(fact, isOther ? "applies otherwise" : "applies now"),
      before: isOther ? others.flatMap(({ from }) => from) : others.map((other) => other.function),
    };
  });
  const ends = ceased
    .filter((fact) => !replaced.has(fact))
    .map((fact) => {
      const now = b.find((other) => other.pass === fact.pass && other.function === fact.function && !other.applied);
      return { ...changeOf(fact, "applies no more"), because: now?.because ?? "" };
    });
  return grouped([...news, ...ends]);
}

const isSame = (a: PassFact, b: PassFact): boolean =>
  a.pass === b.pass && a.function === b.function && a.from.join() === b.from.join();

/** The function, and those that were joined to it. */
function partsOf({ function: name }: PassFact, facts: readonly PassFact[]): readonly string[] {
  return [name, ...facts.filter((fact) => fact.function === name).flatMap(({ from }) => from)];
}

function changeOf(fact: PassFact, change: PassChange["change"]): PassChange {
  const { pass, function: name, from, because, flopsBefore, flopsAfter } = fact;
  const saves = flopsAfter < flopsBefore ? 1 - flopsAfter / flopsBefore : null;
  const isJoined = from.length > 1;
  return {
    pass,
    change,
    functions: [name],
    from: isJoined ? from : [],
    before: [],
    because: isJoined ? because : "",
    saves,
  };
}

function grouped(changes: readonly PassChange[]): readonly PassChange[] {
  const groups = new Map<string, PassChange>();
  for (const [i, change] of changes.entries()) {
    const isAlone = change.from.length > 0 || change.before.length > 0;
    const key = isAlone ? String(i) : `${change.pass} ${change.change}`;
    const known = groups.get(key);
    const functions = [...new Set([...(known?.functions ?? []), ...change.functions])];
    groups.set(key, { ...(known ?? change), functions, saves: functions.length > 1 ? null : change.saves });
  }
  return [...groups.values()];
}

/** `select tokens early now applies to targetLastBlock and saves 21 % of its forward operations (before: to targetTokens)`. */
export function passText({ pass, change, functions, from, before, because, saves }: PassChange): string {
  const what = functions.length > 3 ? `${functions.length} functions` : functions.join(", ");
  const isGone = change === "applies no more";
  const why = because === "" ? "" : `: ${because}`;
  if (from.length > 0) {
    const earlier = before.length === 0 ? "" : ` (before: ${before.join(" + ")})`;
    return `${pass} ${isGone ? "no longer joins" : "now joins"} ${from.join(" + ")} to ${what}${earlier}${why}`;
  }
  const saving = saves === null || isGone ? "" : ` and saves ${Math.round(100 * saves)} % of its forward operations`;
  const earlier = before.length === 0 ? "" : ` (before: to ${before.join(", ")})`;
  return `${pass} ${isGone ? "no longer applies" : "now applies"} to ${what}${saving}${earlier}${why}`;
}
