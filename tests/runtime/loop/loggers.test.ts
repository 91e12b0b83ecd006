/** A run with every logger: what they get of it, and that none of them changes or stops it. */
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { LoggerSettings } from "../../../runtime/loggers/logger";
import { run } from "../../../runtime/loop/run";
import { noLoggerSettings } from "../../support/no-loggers";
import { asMlflow, fakeServer } from "../loggers/remote/fake-server";
import { eventsIn, shownSteps } from "../loggers/tensorboard/decode";
import { fakeEngine, fakeEnvironment, tinyProgram } from "./fake";

async function runWith(
  loggers: Partial<LoggerSettings>,
  more: {
    readonly directory?: string;
    readonly resume?: true;
    readonly stopAtStep?: number;
    readonly lossAt?: () => number;
  } = {},
): Promise<{ readonly directory: string; readonly code: number | string; readonly text: string }> {
  const directory = more.directory ?? mkdtempSync(join(tmpdir(), "ijepa-loggers-"));
  const environment = fakeEnvironment(fakeEngine(more.lossAt));
  const flags = {
    dataRoot: ".",
    runDirectory: directory,
    resume: more.resume === true ? ({ from: "latest" } as const) : ({ from: "nothing" } as const),
    initFrom: null,
    stopAtStep: more.stopAtStep ?? null,
    floors: [],
    logEverySteps: 1,
    logEveryGiven: true,
    loggers: { ...noLoggerSettings, ...loggers },
    threads: 1,
    workers: 1,
    pjrtPlugin: null,
    progress: false,
    quiet: false,
  };
  const code = await run(tinyProgram({}, "step"), flags, environment).catch((error: unknown) => String(error));
  return { directory, code, text: environment.out.text };
}

const checkpoint = (directory: string): Buffer => readFileSync(join(directory, "tiny-latest.safetensors"));

describe("a run with loggers", () => {
  it("is the same run, and TensorBoard gets numbers, masks and weights of it", async () => {
    const plain = await runWith({});
    const logged = await runWith({ tensorboard: true });
    expect(logged.code).toBe(0);
    expect(checkpoint(logged.directory).equals(checkpoint(plain.directory))).toBe(true);
    expect(existsSync(join(plain.directory, "tensorboard"))).toBe(false);
    const [events = []] = eventsIn(join(logged.directory, "tensorboard"));
    const stepsOf = (wanted: string): readonly number[] =>
      events.flatMap(({ step, values }) => (values.some(({ tag }) => tag === wanted) ? [step] : []));
    expect(stepsOf("train/loss")).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(stepsOf("epoch/loss")).toEqual([5, 10]);
    expect(new Set(stepsOf("masks: image, context, targets"))).toEqual(new Set([1, 6]));
    const tags = new Set(
      events.flatMap(({ values }) => values.flatMap(({ tag, histogram }) => (histogram === null ? [] : [tag]))),
    );
    expect(tags.size).toBeGreaterThan(0);
    for (const tag of tags) expect(stepsOf(tag), tag).toEqual([5, 10]);
  });

  it("draws no step twice when it goes on", async () => {
    const { directory } = await runWith({ tensorboard: true }, { stopAtStep: 3 });
    await runWith({ tensorboard: true }, { directory, resume: true });
    expect(shownSteps(eventsIn(join(directory, "tensorboard")), "train/loss")).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it("is the same run where no server answers, and says so", async () => {
    const plain = await runWith({});
    const gone = await fakeServer(asMlflow);
    await gone.close();
    const logged = await runWith({ mlflow: gone.address, trackio: gone.address });
    expect(logged.code).toBe(0);
    expect(checkpoint(logged.directory).equals(checkpoint(plain.directory))).toBe(true);
    for (const title of ["MLflow", "Trackio"]) {
      expect(logged.text.match(new RegExp(`R220: ${title}`, "g"))).toHaveLength(1);
      expect(logged.text).toContain(`R222: ${title} at ${gone.address} has not got all of the log`);
    }
  }, 60_000);

  it("tells a server how it ended, also where it failed", async () => {
    const server = await fakeServer(asMlflow);
    const finished = await runWith({ mlflow: server.address });
    expect(finished.code).toBe(0);
    const failed = await runWith({ mlflow: server.address }, { lossAt: () => Number.NaN });
    expect(failed.code).toMatch(/at step 1 is NaN/);
    const statuses = server.asked.flatMap(({ path, body }) => (path.endsWith("runs/update") ? [body.status] : []));
    expect(statuses).toEqual(["FINISHED", "FAILED"]);
    const losses = server.asked
      .flatMap(({ body }) => body?.metrics ?? [])
      .filter(({ key }: { key: string }) => key === "train/loss")
      .map(({ step }: { step: number }) => step);
    expect(losses).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    await server.close();
  }, 60_000);
});
