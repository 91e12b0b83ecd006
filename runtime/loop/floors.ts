/** Ends a run whose metric is not where it should be at the end of an epoch (`--floor`). */
import { floorMetricUnknown, floorNotMeasured, floorOutsideRun } from "../errors";
import type { Experiment } from "../experiment";
import { type Floor, floorText, judge, missText } from "../report/floor";
import type { LogEvent } from "../report/jsonl";
import { metricNames } from "../report/metric";

export interface Floors {
  /** Judges the floors of all epochs that are done, also of those before a resume. */
  afterEpoch(epoch: number): void;
  /** Why the run is to end; null while every floor holds. */
  missed(): string | null;
}

/** Throws where a floor can never be judged: a stop that silently never comes would cost hours. */
export function openFloors(what: {
  readonly floors: readonly Floor[];
  readonly experiment: Experiment;
  /** The log up to now. */
  readonly events: () => readonly LogEvent[];
  readonly note: (line: string) => void;
}): Floors {
  const { experiment, note } = what;
  const { epochs } = experiment.optimizer;
  const { everyEpochs } = experiment.evaluation;
  for (const floor of what.floors) {
    const flag = floorText(floor);
    if (floor.epoch >= epochs) throw floorOutsideRun({ flag, epoch: floor.epoch, epochs });
    if (floor.metric !== "loss" && (everyEpochs === 0 || floor.epoch % everyEpochs !== 0)) {
      throw floorNotMeasured({ flag, epoch: floor.epoch, everyEpochs });
    }
  }
  let waiting = [...what.floors].sort((a, b) => a.epoch - b.epoch);
  let missed: string | null = null;
  return {
    afterEpoch: (epoch) => {
      const due = waiting.filter((floor) => floor.epoch <= epoch);
      if (due.length === 0) return;
      waiting = waiting.filter((floor) => floor.epoch > epoch);
      const events = what.events();
      for (const floor of due) {
        const verdict = judge(floor, events);
        if (verdict === null) {
          const evaluated = events.some((event) => event.event === "evaluation" && event.epoch === floor.epoch);
          if (evaluated) throw floorMetricUnknown({ flag: floorText(floor), known: metricNames(events) });
          // Its evaluation was broken off or could not be done, and that was said.
          note(`epoch ${floor.epoch}: ${floor.metric} was not measured, so the floor is not judged.`);
        } else if (!verdict.passes) {
          missed ??= missText(floor, verdict.value);
        }
      }
    },
    missed: () => missed,
  };
}
