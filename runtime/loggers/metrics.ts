/** The numbers of a log event, by the names under which every logger shows them. */
import type { LogEvent } from "../report/jsonl";
import { reportMetrics } from "../report/metric";

type Metrics = Readonly<Record<string, number | undefined>>;

/** Of each kind of event; none where it has no numbers to draw. */
const metricsByEvent: {
  readonly [E in LogEvent["event"]]: (event: Extract<LogEvent, { readonly event: E }>) => Metrics;
} = {
  step: (event) => ({
    "train/loss": event.loss,
    "train/regularizer": event.regularizer,
    "train/learningRate": event.lr,
    "train/weightDecay": event.weightDecay,
    "train/momentum": event.momentum,
    "train/gradientNorm": event.gradientNorm,
    "train/imagesPerSecond": event.imagesPerSecond,
    "train/dataMs": event.dataMs,
  }),
  epoch: ({ loss }) => ({ "epoch/loss": loss }),
  evaluation: ({ report }) =>
    Object.fromEntries([...reportMetrics(report)].map(([name, value]) => [`evaluation/${nameOf(name)}`, value])),
  start: () => ({}),
  engine: () => ({}),
  badImage: () => ({}),
  notFinite: () => ({}),
  probes: () => ({}),
  checkpoint: () => ({}),
  end: () => ({}),
};

/** MLflow takes no other signs; a task is named after what the data call it. */
const nameOf = (metric: string): string => metric.replaceAll(/[^\w\-. :/]/g, "_");

/** Finite numbers alone: nobody draws others. */
export function metricsOf(event: LogEvent): ReadonlyMap<string, number> {
  // every entry takes the events of its own kind
  const metrics = (metricsByEvent[event.event] as (event: LogEvent) => Metrics)(event);
  const found = new Map<string, number>();
  for (const [name, value] of Object.entries(metrics)) {
    if (value !== undefined && Number.isFinite(value)) found.set(name, value);
  }
  return found;
}
