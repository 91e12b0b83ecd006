/** Reads the JSON lines log of a run (jsonl.ts) back as events. Nothing is written, and the run may still be under way. */
import { hasCode } from "../exceptions";
import type { LogEvent } from "./jsonl";
import { fileLines } from "./lines";

export interface ReadLogOptions {
  /**
   * At most so many step events, evenly spaced and always with the last one; others are not even parsed. All where it is
   * left out.
   */
  readonly mostSteps?: number;
}

/** What every line of a step begins with: `event` is the first key that jsonl.ts writes. */
const stepPrefix = '{"event":"step"';

/**
 * The events of a log in their order. A line that is torn, no event, or an event of another version is left out: whatever
 * else the log says stays useful.
 */
export function readLog(text: string, options: ReadLogOptions = {}): LogEvent[] {
  const lines = text.split("\n");
  return eventsOf(() => lines, options);
}

/** `linesOf` is called twice: a log may be too long to keep. */
function eventsOf(
  linesOf: () => Iterable<string>,
  { mostSteps = Number.POSITIVE_INFINITY }: ReadLogOptions,
): LogEvent[] {
  const isStep = (line: string): boolean => line.startsWith(stepPrefix);
  let count = 0;
  for (const line of linesOf()) if (isStep(line)) count++;
  const isWanted = evenly(count, mostSteps);
  const events: LogEvent[] = [];
  let steps = 0;
  for (const line of linesOf()) {
    if (line === "" || (isStep(line) && !isWanted(steps++))) continue;
    const event = eventOf(line);
    if (event !== null) events.push(event);
  }
  return events;
}

/** As readLog; a run that has not begun to log has no events. */
export function readLogFile(path: string, options: ReadLogOptions = {}): LogEvent[] {
  try {
    return eventsOf(() => fileLines(path), options);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return [];
    throw error;
  }
}

/** Which of `count` things to keep so that at most `most` are left: every n-th, counted back from the last. */
export function evenly(count: number, most: number): (index: number) => boolean {
  const every = Math.max(1, Math.ceil(count / most));
  return (index) => (count - 1 - index) % every === 0;
}

/** Null where the line is no event. */
export function eventOf(line: string): LogEvent | null {
  try {
    const value: unknown = JSON.parse(line);
    return isEvent(value) ? value : null;
  } catch {
    return null;
  }
}

type Fields = Readonly<Record<string, unknown>>;
type Check = (fields: Fields) => boolean;

const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null;
const areNumbers =
  (...names: readonly string[]): Check =>
  (fields) =>
    names.every((name) => Number.isFinite(fields[name]));
const areTexts =
  (...names: readonly string[]): Check =>
  (fields) =>
    names.every((name) => typeof fields[name] === "string");

/** What readers rely on, by event: a line without it is no event. */
const checks: { readonly [E in LogEvent["event"]]: Check } = {
  step: areNumbers("epoch", "loss", "timeMs", "dataMs", "imagesPerSecond"),
  start: areTexts("experiment", "specHash", "engine", "time"),
  engine: areTexts("note"),
  epoch: areNumbers("epoch", "loss"),
  badImage: areTexts("of", "file", "reason", "why"),
  notFinite: areTexts("what", "value"),
  evaluation: (fields) => areNumbers("epoch")(fields) && isReport(fields.report),
  probes: (fields) => areTexts("time")(fields) && isFields(fields.results),
  checkpoint: areTexts("path"),
  end: areTexts("reason", "time"),
};

function isEvent(value: unknown): value is LogEvent {
  if (!isFields(value) || !areNumbers("step")(value)) return false;
  const { event } = value;
  return typeof event === "string" && isEventName(event) && checks[event](value);
}

const isEventName = (name: string): name is LogEvent["event"] => Object.hasOwn(checks, name);

function isReport(value: unknown): boolean {
  const counts = ["trainImages", "validationImages", "testImages", "neighbours"];
  if (!isFields(value) || !areNumbers(...counts)(value)) return false;
  const { tasks, rows } = value;
  const isList = (list: unknown, check: Check): boolean =>
    Array.isArray(list) && list.every((entry: unknown) => isFields(entry) && check(entry));
  return (
    isList(tasks, (task) => areTexts("name")(task) && areNumbers("chance")(task)) &&
    isList(
      rows,
      (row) =>
        areTexts("representation")(row) &&
        isList(row.tasks, areNumbers("linearProbe", "knn")) &&
        // One of each row for every task.
        Array.isArray(row.tasks) &&
        Array.isArray(tasks) &&
        row.tasks.length === tasks.length &&
        (row.collapse === null || (isFields(row.collapse) && areNumbers("rankMe", "featureSpread")(row.collapse))),
    )
  );
}
