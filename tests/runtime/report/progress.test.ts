import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { openProgress, type ProgressStep, recentSteps } from "../../../runtime/report/progress";

function screen(isTTY: boolean): { readonly stream: NodeJS.WriteStream; text(): string } {
  let text = "";
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      text += String(chunk);
      done();
    },
  });
  // A terminal as far as the bar looks at it.
  const fake = Object.assign(stream, { isTTY, columns: 120 }) as unknown as NodeJS.WriteStream;
  return { stream: fake, text: () => text };
}

const step = (at: number, changes: Partial<ProgressStep> = {}): ProgressStep => ({
  step: at,
  epoch: 1,
  loss: 0.5,
  lr: 0.001,
  gradientNorm: 1.25,
  images: 64,
  wallMs: 500,
  timeMs: 480,
  dataMs: 20,
  ...changes,
});
const range = { steps: 100, stepsDone: 10, epochs: 4, stopAtStep: 100, logEverySteps: 10, lineEveryMs: 0 };

describe("plain lines", () => {
  it("come at the first step, every few steps, and at the last", () => {
    const { stream, text } = screen(false);
    const progress = openProgress({ stream, quiet: false, bar: true });
    progress.begin({ ...range, stopAtStep: 33 });
    for (let at = 11; at <= 33; at++) progress.step(step(at));
    expect(
      text()
        .trimEnd()
        .split("\n")
        .map((line) => line.split(" · ")[0]),
    ).toEqual(["step 11/100", "step 20/100", "step 30/100", "step 33/100"]);
  });

  it("say loss, learning rate, speed and the time that is left", () => {
    const { stream, text } = screen(false);
    const progress = openProgress({ stream, quiet: false, bar: true });
    progress.begin(range);
    progress.step(step(11));
    expect(text()).toBe("step 11/100 · epoch 1/4 · loss 0.5000 · gradient 1.25 · lr 1.00e-3 · 128 images/s · ETA ?\n");
    for (let at = 12; at <= 20; at++) progress.step(step(at));
    expect(text()).toMatch(
      /\nstep 20\/100 · epoch 1\/4 · loss 0.5000 · gradient 1.25 · lr 1.00e-3 · 128 images\/s · ETA 40 s\n$/,
    );
  });

  it.each([
    // Waiting behind a step that the engine still computes costs nothing.
    { timeMs: 480, dataMs: 400, want: "" },
    { timeMs: 440, dataMs: 60, want: " · waiting for images 12 %" },
    { timeMs: 50, dataMs: 450, want: " · waiting for images 90 %" },
  ])("say that training waits for images, of $dataMs of 500 ms", ({ want, ...times }) => {
    const { stream, text } = screen(false);
    const progress = openProgress({ stream, quiet: false, bar: true });
    progress.begin(range);
    for (let at = 11; at <= 20; at++) progress.step(step(at, times));
    expect(text()).toContain(
      `\nstep 20/100 · epoch 1/4 · loss 0.5000 · gradient 1.25 · lr 1.00e-3 · 128 images/s${want} · ETA 40 s\n`,
    );
  });

  it("are kept apart in time where steps are quick", () => {
    const { stream, text } = screen(false);
    const progress = openProgress({ stream, quiet: false, bar: true });
    progress.begin({ ...range, logEverySteps: 1, lineEveryMs: 1000 });
    for (let at = 11; at <= 20; at++) progress.step(step(at, { wallMs: 300 }));
    const shown = [...text().matchAll(/^step (\d+)/gm)].map(([, at]) => Number(at));
    expect(shown).toEqual([11, 15, 19]);
  });
});

describe("the bar", () => {
  it("prints notes above itself and gives the cursor back", () => {
    const { stream, text } = screen(true);
    const progress = openProgress({ stream, quiet: false, bar: true });
    progress.note("before");
    progress.begin(range);
    progress.step(step(11));
    progress.note("between");
    progress.stop();
    progress.note("after");
    expect(text()).toMatch(/^before\n/);
    expect(text()).toContain("between\n");
    expect(text()).toContain("11/100 · epoch 1/4 · loss 0.5000");
    expect(text().lastIndexOf("\u001b[?25h")).toBeGreaterThan(text().lastIndexOf("\u001b[?25l"));
    expect(text()).toMatch(/after\n$/);
  });

  it("is left out where it is not wanted", () => {
    const { stream, text } = screen(true);
    openProgress({ stream, quiet: false, bar: false }).begin(range);
    expect(text()).toBe("");
  });
});

describe("means over the last steps", () => {
  it("leave out the first step, which warms up, as soon as there is another", () => {
    const recent = recentSteps();
    recent.add(step(1, { wallMs: 10_000, loss: 9 }));
    expect(recent.summary()).toEqual({ loss: 9, stepMs: Number.NaN, imagesPerSecond: 6.4, waitedShare: 0.002 });
    recent.add(step(2, { wallMs: 500, loss: 0.5 }));
    recent.add(step(3, { wallMs: 1500, loss: 0.25 }));
    expect(recent.summary()).toEqual({ loss: 0.375, stepMs: 1000, imagesPerSecond: 64, waitedShare: 0.02 });
  });
});
