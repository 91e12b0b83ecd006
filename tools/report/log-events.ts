/** The events of a log, line by line: of a log that is longer than a page can show, steps at even distances. */
import type { LogEvent, StepEvent } from "../../runtime/report/jsonl";
import { eventOf } from "../../runtime/report/read-log";

/** Kept of the steps, at most, besides the last: fifty for each point of a curve. */
const mostSteps = 20_000;

export class LogEvents {
  #events: LogEvent[] = [];
  #lines = 0;
  #torn = 0;
  /** Every so many-th step is kept. */
  #every = 1;
  #steps = 0;
  #kept = 0;
  /** The newest step, where it is not kept. */
  #newest: StepEvent | null = null;

  take(line: string): void {
    if (line === "") return;
    this.#lines++;
    const event = eventOf(line);
    if (event === null) {
      this.#torn++;
      return;
    }
    if (event.event === "step") this.takeStep(event);
    else this.#events.push(event);
  }

  private takeStep(event: StepEvent): void {
    this.#newest = event;
    if (this.#steps++ % this.#every !== 0) return;
    this.#newest = null;
    this.#events.push(event);
    this.#kept++;
    if (this.#kept < 2 * mostSteps) return;
    this.#every *= 2;
    let index = 0;
    this.#events = this.#events.filter((each) => each.event !== "step" || index++ % 2 === 0);
    this.#kept = Math.ceil(this.#kept / 2);
  }

  /** In the order of the log, but for a last step that stands at the end. */
  get events(): readonly LogEvent[] {
    return this.#newest === null ? this.#events : [...this.#events, this.#newest];
  }

  /** Lines that are no events, and all lines. */
  get torn(): { readonly lines: number; readonly of: number } {
    return { lines: this.#torn, of: this.#lines };
  }
}
