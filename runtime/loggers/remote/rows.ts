/** Log events as rows for a server: with times, which most events have not, and without what was sent before. */
import type { LogEvent } from "../../report/jsonl";
import { metricsOf } from "../metrics";
import type { Row } from "./server";

/** How far a log was sent: every event of earlier steps, and so many of this one, as the log counts them. */
export interface Sent {
  readonly step: number;
  readonly events: number;
}

export const nothingSent: Sent = { step: -1, events: 0 };

const noMetrics: ReadonlyMap<string, number> = new Map();

export interface ToSend {
  readonly row: Row | null;
  /** Where the log is sent up to once this row is. */
  readonly sent: Sent;
  /** A trainer started, or why and when it ended; null for any other event. */
  readonly turn: "start" | { readonly reason: string; readonly timeMs: number } | null;
}

/**
 * Takes the events of one log in their order. A step that a resumed run repeats gives the same numbers, so it is not sent
 * again; time goes on by what the steps took, from what the last start says.
 */
export class Rows {
  #timeMs = 0;
  #step = 0;
  /** Of the log, whatever was sent of it. */
  #reached: Sent = nothingSent;

  constructor(private readonly before: Sent) {}

  /** Null where the event was sent before. */
  take(event: LogEvent): ToSend | null {
    this.clock(event);
    const { step } = event;
    const { before } = this;
    if (step > this.#reached.step) this.#reached = { step, events: 1 };
    else if (step === this.#reached.step) this.#reached = { step, events: this.#reached.events + 1 };
    const reached = this.#reached;
    const isKnown = reached.step < before.step || (reached.step === before.step && reached.events <= before.events);
    const turn = this.turnOf(event);
    if (isKnown && turn === null) return null;
    // Whoever looks at a run again, such as `ijepa evaluate`, writes of earlier steps.
    const metrics = isKnown || step < reached.step ? noMetrics : metricsOf(event);
    return {
      row: metrics.size === 0 ? null : { step, timeMs: this.#timeMs, metrics },
      sent: isKnown ? before : reached,
      turn,
    };
  }

  private turnOf(event: LogEvent): ToSend["turn"] {
    if (event.event === "start") return "start";
    return event.event === "end" ? { reason: event.reason, timeMs: this.#timeMs } : null;
  }

  private clock(event: LogEvent): void {
    if (event.event === "start" || event.event === "end") {
      const time = Date.parse(event.time);
      if (Number.isFinite(time)) this.#timeMs = time;
    } else if (event.event === "step") {
      this.#timeMs += (event.timeMs + event.dataMs) * Math.max(0, event.step - this.#step);
    }
    this.#step = event.step;
  }
}
