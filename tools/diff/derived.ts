/** Numbers that follow from an experiment, to see which of them a change has moved. */
import { flopsText } from "../../compiler/ops/cost";
import { isObject, type JsonObject, type JsonValue } from "../../compiler/spec/json";
import { bytesText, countText, deviceHours, type Facts } from "../../compiler/step/facts";

export interface Measure {
  readonly name: string;
  readonly value: number;
  /** The value with its unit, for people. */
  readonly text: string;
  /** The same with more digits, where `text` rounds. */
  readonly precise?: (digits: number) => string;
}

export interface MovedNumber {
  readonly name: string;
  readonly a: Measure;
  readonly b: Measure;
  /** Before and after, for people: with so many digits that they differ. */
  readonly texts: readonly [a: string, b: string];
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
    ["images seen", product(steps, number(["optimizer", "globalBatch"]))],
  ];
  return counts.flatMap(([name, value]) => (value === null ? [] : [{ name, value, text: countText(value) }]));
}

/** How the images of a step are shared out. */
export interface Batch {
  readonly steps: number;
  readonly globalBatch: number;
  readonly devices: number;
  readonly accumulation: number;
  readonly deviceBatch: number;
}

/** Null where a number of it is missing, as in constants of another version. */
export function batchOf(constants: JsonObject): Batch | null {
  const number = (...path: readonly string[]): number => Number(valueAt(constants, path) ?? Number.NaN);
  const batch = {
    steps: number("schedule", "steps"),
    globalBatch: number("optimizer", "globalBatch"),
    devices: number("hardware", "gpus"),
    accumulation: number("optimizer", "accumulation"),
    deviceBatch: number("optimizer", "deviceBatch"),
  };
  return Object.values(batch).every(Number.isFinite) ? batch : null;
}

/** What needs the compiled program. */
export function measuresOfFacts(facts: Facts, teraflops: number): readonly Measure[] {
  const hours = deviceHours(facts, teraflops * 1e12);
  const count = (name: string, value: number) => ({ name, value, text: countText(value) });
  const flops = (name: string, value: number): Measure => ({
    name,
    value,
    text: flopsText(Math.round(value)),
    precise: (digits) => flopsText(Math.round(value), digits),
  });
  const bytes = (name: string, value: number): Measure => ({
    name,
    value,
    text: bytesText(value),
    precise: () => `${countText(value)} bytes`,
  });
  return [
    ...Object.entries(facts.parameters).map(([network, parameters]) => count(`${network} parameters`, parameters)),
    flops("operations per step", facts.flopsPerStep.total),
    flops("operations in all", facts.flopsInAll),
    bytes("memory: state", facts.memory.stateBytes),
    bytes("memory: kept for the backward pass", facts.memory.keptBytes),
    bytes("memory in all (estimate)", facts.memory.totalBytes),
    {
      name: `GPU-hours at ${teraflops} TFLOP/s`,
      value: hours,
      text: `${hours.toPrecision(3)} h`,
      precise: (digits) => `${hours.toPrecision(digits)} h`,
    },
  ];
}

/** Those that both sides know and that differ. */
export function movedNumbers(a: readonly Measure[], b: readonly Measure[]): readonly MovedNumber[] {
  return b.flatMap((is) => {
    const was = a.find(({ name }) => name === is.name);
    if (was === undefined || was.value === is.value) return [];
    return [{ name: is.name, a: was, b: is, ...textsOf(was, is) }];
  });
}

const MOST_DIGITS = 15;

/** Where rounding hides the difference, so many digits are shown that it is seen. */
function textsOf(a: Measure, b: Measure): Pick<MovedNumber, "texts"> {
  for (let digits = 4; digits <= MOST_DIGITS && a.text === b.text; digits++) {
    const [was, is] = [a, b].map(({ precise, value }) => precise?.(digits) ?? String(value));
    if (was !== undefined && is !== undefined && was !== is) return { texts: [was, is] };
  }
  return { texts: [a.text, b.text] };
}

/** `+93.4 %`; empty where there is nothing to divide by. */
export function shareText({ a, b }: MovedNumber): string {
  if (a.value === 0) return "";
  const share = 100 * (b.value / a.value - 1);
  const digits = Math.abs(share) < 0.1 ? share.toPrecision(1) : share.toFixed(1);
  return `${share > 0 ? "+" : ""}${digits} %`.replace("-", "−");
}

function valueAt(holder: JsonValue | undefined, [key, ...rest]: readonly string[]): JsonValue | undefined {
  if (key === undefined) return holder;
  return isObject(holder) && Object.hasOwn(holder, key) ? valueAt(holder[key], rest) : undefined;
}
