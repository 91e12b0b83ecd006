/** Numbers that follow from an experiment, to see which of them a change has moved. */
import { flopsText } from "../../compiler/ops/cost";
import { isObject, type JsonObject, type JsonValue } from "../../compiler/spec/json";
import { bytesText, countText, deviceHours, type Facts } from "../../compiler/step/facts";

export interface Measure {
  readonly name: string;
  /** A number; the list of programs is a text. */
  readonly value: number | string;
  /** The value with its unit, for people. */
  readonly text: string;
  /** The same with every digit, where `text` rounds. */
  readonly exact?: string;
}

export interface MovedNumber {
  readonly name: string;
  readonly a: Measure;
  readonly b: Measure;
}

/** What the constants alone tell: all that is known of runs and of generated folders. */
export function measuresOfConstants(constants: JsonObject): readonly Measure[] {
  const number = (path: readonly string[]): number | null => {
    const value = valueAt(constants, path);
    return typeof value === "number" ? value : null;
  };
  const product = (a: number | null, b: number | null) => (a === null || b === null ? null : a * b);
  const steps = number(["schedule", "steps"]);
  const counts: readonly (readonly [string, number | null])[] = [
    ["tokens of an image", product(number(["image", "gridHeight"]), number(["image", "gridWidth"]))],
    ["steps", steps],
    ["images seen", product(steps, number(["optimiser", "globalBatch"]))],
  ];
  const programs = valueAt(constants, ["masks", "programs"]);
  return [
    ...counts.flatMap(([name, value]) => (value === null ? [] : [{ name, value, text: countText(value) }])),
    ...(Array.isArray(programs) ? [programsMeasure(programs)] : []),
  ];
}

/** Context and target tokens of every program with its share of the steps. */
function programsMeasure(programs: readonly JsonValue[]): Measure {
  const text = programs
    .filter(isObject)
    .map(({ contextTokens, targetTokens, probability }) => {
      const share = `${(100 * Number(probability)).toFixed(1)} %`;
      return `${String(contextTokens)}+${String(targetTokens)} (${share})`;
    })
    .join(", ");
  return { name: "programs (context+target tokens)", value: text, text };
}

/** What needs the compiled program. */
export function measuresOfFacts(facts: Facts, teraflops: number): readonly Measure[] {
  const hours = deviceHours(facts, teraflops * 1e12);
  const { encoder, predictor } = facts.parameters;
  const count = (name: string, value: number) => ({ name, value, text: countText(value) });
  const flops = (name: string, value: number) => ({
    name,
    value,
    text: flopsText(Math.round(value)),
    exact: `${countText(Math.round(value))} FLOP`,
  });
  const bytes = (name: string, value: number) => ({
    name,
    value,
    text: bytesText(value),
    exact: `${countText(value)} bytes`,
  });
  return [
    count("encoder parameters", encoder),
    count("predictor parameters", predictor),
    flops("operations per step", facts.flopsPerStep.total),
    flops("operations in all", facts.flopsInAll),
    bytes("memory: state", facts.memory.stateBytes),
    bytes("memory: kept for the backward pass", facts.memory.keptBytes),
    bytes("memory in all (estimate)", facts.memory.totalBytes),
    {
      name: `GPU-hours at ${teraflops} TFLOP/s`,
      value: hours,
      text: `${hours.toPrecision(3)} h`,
      exact: `${hours.toPrecision(6)} h`,
    },
  ];
}

/** Those that both sides know and that differ. */
export function movedNumbers(a: readonly Measure[], b: readonly Measure[]): readonly MovedNumber[] {
  return b.flatMap((is) => {
    const was = a.find(({ name }) => name === is.name);
    if (was === undefined || was.value === is.value) return [];
    // Where rounding hides the difference, every digit is shown.
    const exact = (side: Measure): Measure =>
      was.text === is.text ? { ...side, text: side.exact ?? String(side.value) } : side;
    return [{ name: is.name, a: exact(was), b: exact(is) }];
  });
}

/** `+93.4 %`; empty where there is nothing to divide by. */
export function shareText({ a, b }: MovedNumber): string {
  if (typeof a.value !== "number" || typeof b.value !== "number" || a.value === 0) return "";
  const share = 100 * (b.value / a.value - 1);
  const digits = Math.abs(share) < 0.1 ? share.toPrecision(1) : share.toFixed(1);
  return `${share > 0 ? "+" : ""}${digits} %`.replace("-", "−");
}

function valueAt(holder: JsonValue | undefined, [key, ...rest]: readonly string[]): JsonValue | undefined {
  if (key === undefined) return holder;
  return isObject(holder) && Object.hasOwn(holder, key) ? valueAt(holder[key], rest) : undefined;
}
