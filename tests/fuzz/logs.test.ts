/** Logs that a full disk, an editor or another program has had in its hands: whatever else they say is still shown. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openJsonl } from "../../runtime/report/jsonl";
import { readLog, readLogFile } from "../../runtime/report/read-log";
import { readRun } from "../../tools/report/runs";
import { comparisonText, runText } from "../../tools/report/terminal";
import { tinyExperiment } from "../runtime/loop/tiny";
import { fuzz, mutated } from "./fuzz";

const folder = mkdtempSync(join(tmpdir(), "ijepa-fuzz-logs-"));
const path = join(folder, "log.jsonl");
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, "experiment.json"), JSON.stringify(tinyExperiment));
afterAll(() => rmSync(folder, { recursive: true }));

const step = (at: number) => ({
  ...{ event: "step", step: at, epoch: 1 + Math.floor((at - 1) / 5), loss: 1 / at, lr: 1e-3, weightDecay: 0.04 },
  ...{ momentum: 0.996, contextTokens: 4, targetTokens: 4, timeMs: 10, dataMs: 1, imagesPerSecond: 400 },
});
const report = {
  tasks: [{ name: "count", classes: 4, chance: 0.25 }],
  ...{ trainImages: 8, validationImages: 8, testImages: 8, neighbours: 3 },
  rows: [
    {
      representation: "target encoder",
      dimension: 8,
      tasks: [{ linearProbe: 0.5, knn: 0.5, l2: 1 }],
      collapse: { rankMe: 3, featureSpread: 0.5 },
    },
  ],
};
const time = "2026-11-27T12:00:00.000Z";
const events = [
  {
    event: "start",
    step: 0,
    experiment: "tiny",
    specHash: "01",
    generatorVersion: "0.1.0",
    engine: "onnx",
    node: "v20",
    time,
  },
  ...[1, 2, 3, 4, 5].map(step),
  { event: "epoch", step: 5, epoch: 1, loss: 0.4, badImages: { damaged: 1 } },
  { event: "checkpoint", step: 5, path: "runs/tiny/tiny-latest.safetensors" },
  { event: "badImage", step: 5, of: "training", file: "a.jpg", reason: "damaged", why: "it ends early" },
  { event: "notFinite", step: 6, what: "The loss", value: "NaN", lr: 1e-3, skipped: 1, images: ["a.jpg"] },
  { event: "evaluation", step: 5, epoch: 1, report },
  ...[6, 7, 8, 9, 10].map(step),
  { event: "end", step: 10, reason: "complete", time },
];
const whole = Buffer.from(events.map((event) => `${JSON.stringify(event)}\n`).join(""));

async function read(bytes: Uint8Array, goesOn = true): Promise<string> {
  writeFileSync(path, bytes);
  const found = readLogFile(path);
  expect(found).toEqual(readLog(Buffer.from(bytes).toString("utf8")));
  const run = readRun(folder);
  if (run.ok) {
    const texts = [runText(run.run, { colour: false }), comparisonText([run.run, run.run], { colour: false })];
    for (const text of texts) expect(text).not.toMatch(/\[object|undefined/);
  } else expect(run.problem.code).toMatch(/^E\d{3}$/);
  if (!goesOn) return found.length === events.length ? "all events" : found.length === 0 ? "no event" : "some events";
  // A trainer that goes on keeps what lies before its checkpoint, and can write behind it.
  (await openJsonl(path, { stepsDone: 5 })).append({ event: "checkpoint", step: 5, path: "x" });
  const kept = readLogFile(path);
  expect(kept.at(-1)).toMatchObject({ event: "checkpoint", path: "x" });
  expect(kept.every((event) => event.step <= 5)).toBe(true);
  return found.length === events.length ? "all events" : found.length === 0 ? "no event" : "some events";
}

describe("log.jsonl", () => {
  fuzz("with other bytes", {
    cases: 120,
    make: (random) => mutated(whole, random),
    // A log is written anew through to the disk, which takes longer than all else: now and then.
    read: (bytes) => read(bytes, bytes.length % 8 === 0),
    show: (bytes) => Buffer.from(bytes).toString("base64"),
  });

  it.each([
    ["a line of zeros, as a crash of the machine leaves it", `${whole}${"\0".repeat(4096)}`],
    ["no end of the last line", String(whole).slice(0, -1)],
    ["line ends of Windows", String(whole).replaceAll("\n", "\r\n")],
    [
      "numbers beyond all",
      '{"event":"step","step":1e999,"epoch":1,"loss":1,"timeMs":1,"dataMs":1,"imagesPerSecond":1}\n',
    ],
    ["lists in place of events", "[]\n[[]]\nnull\n"],
  ])("once found: %s", async (_, text) => {
    await read(Buffer.from(text));
  });

  it("is whole where nothing was changed", async () => {
    expect(await read(whole)).toBe("all events");
    expect(readFileSync(path, "utf8").split("\n")).toHaveLength(1 + 1 + 5 + 4 + 1);
  });
});
