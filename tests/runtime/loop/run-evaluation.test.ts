import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { EvaluationReport } from "../../../runtime/evaluate/evaluation-report";
import type { TrainerEnvironment } from "../../../runtime/loop/environment";
import { eventsIn } from "../loggers/tensorboard/decode";
import { events, folder, resume, runIn } from "./running";

describe("evaluation", () => {
  const report: EvaluationReport = {
    trainImages: 8,
    validationImages: 8,
    testImages: 8,
    neighbours: 3,
    tasks: [{ name: "count", classes: 2, chance: 0.5 }],
    rows: [
      {
        representation: "target encoder",
        dimension: 8,
        tasks: [{ linearProbe: 0.75, knn: 0.625, l2: 1 }],
        collapse: null,
      },
    ],
  };
  const environment = (asked: string[]): Partial<TrainerEnvironment> => ({
    openEvaluation: async () => ({
      now: async () => {
        asked.push("now");
        return report;
      },
      final: async () => {
        asked.push("final");
        return report;
      },
    }),
  });

  it("comes every few epochs, and in full at the end", async () => {
    const [directory, asked] = [folder(), [] as string[]];
    const { text } = await runIn(directory, { environment: environment(asked) });
    expect(asked).toEqual(["now", "final"]);
    expect(text).toContain("epoch 1: count: linear probe 75.0 %, k-NN 62.5 %");
    expect(text).toMatch(/target encoder +75\.0 +62\.5/);
    const evaluations = events(directory).filter(({ event }) => event === "evaluation");
    expect(evaluations).toEqual([
      { event: "evaluation", step: 5, epoch: 1, report },
      { event: "evaluation", step: 10, epoch: 2, report },
    ]);
  });

  it("shows TensorBoard how its features spread, at the step of the evaluation", async () => {
    const directory = folder();
    const heard: boolean[] = [];
    const openEvaluation: TrainerEnvironment["openEvaluation"] = async ({ seen }) => {
      heard.push(seen !== null);
      const now = async (): Promise<EvaluationReport> => {
        seen?.({ images: 2, dimension: 2, values: Float32Array.of(3, 4, 0, 1) });
        return report;
      };
      return { now, final: now };
    };
    const loggers = { tensorboard: true, mlflow: null, trackio: null };
    await runIn(directory, { environment: { openEvaluation }, flags: { loggers } });
    const shown = eventsIn(join(directory, "tensorboard")).flat();
    for (const name of ["features/std", "features/norm"]) {
      const steps = shown.filter(({ values }) => values.some(({ tag }) => tag === name)).map(({ step }) => step);
      expect(steps, name).toEqual([5, 10]);
    }
    await runIn(folder(), { environment: { openEvaluation } });
    expect(heard).toEqual([true, false]);
  });

  it("is made up for by a run that goes on from a checkpoint after which it was killed", async () => {
    const [directory, asked] = [folder(), [] as string[]];
    const killed = { ...environment([]), openEvaluation: async () => null };
    await runIn(directory, { environment: killed, flags: { stopAtStep: 5 } });
    const floors = [{ metric: "count.knn", epoch: 1, value: 0.7, goal: "max" }] as const;
    const given = { environment: environment(asked), flags: { resume, floors } };
    const { engine, text } = await runIn(directory, given);
    expect(asked).toEqual(["now"]);
    expect(engine.calls).toEqual([]);
    expect(text).toContain("count.knn is 0.625 after epoch 1, and goes on with at least 0.7");
    expect(events(directory).at(-1)).toMatchObject({ event: "end", step: 5, reason: "floor" });
  });

  it("has no such metric for a floor", async () => {
    const floors = [{ metric: "colour.knn", epoch: 1, value: 0.7, goal: "max" }] as const;
    const failing = runIn(folder(), { environment: environment([]), flags: { floors } });
    await expect(failing).rejects.toThrow(/no such metric\. It has loss, count\.linearProbe, count\.knn\.$/);
  });

  it("waits for the end of the run where it stops early", async () => {
    const asked: string[] = [];
    const { text } = await runIn(folder(), { environment: environment(asked), flags: { stopAtStep: 7 } });
    expect(asked).toEqual(["now"]);
    expect(text).toMatch(
      /Stopped after step 7 of 10\. Saved in .*\nTo go on:\n {2}node \/somewhere\/train\.js --resume/,
    );
  });
});
