/** The questions of `ijepa init`, answered by the keys that a person presses. */
import { PassThrough, Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import type { LookedImages } from "../../../tools/init/images";
import { type Answers, ask, type Checks, type Given, isInterrupted } from "../../../tools/init/questions";

const enter = "\r";
const down = "\u001b[B";
const ctrlC = "\u0003";

const photos = (classes: readonly string[]): LookedImages => ({
  kind: "folder",
  train: "photos",
  validation: null,
  count: 1,
  classes,
  side: 64,
});

const checks: Checks = {
  name: (name) => (name === "taken" ? "there is a file of this name already" : null),
  minutes: (minutes) => (Number(minutes) > 0 ? null : "It is a number above 0."),
  images: async (path) =>
    path === "photos" ? photos(["cat", "dog"]) : path === "flat" ? photos([]) : "there is no such folder",
};

/** A terminal stays open when a prompt is done with it. */
class Screen extends Writable {
  constructor(private readonly show: (text: string) => void) {
    super();
  }
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.show(String(chunk));
    done();
  }
  override end(): this {
    return this;
  }
}

/** Presses keys when what they answer has been shown. */
async function answered(given: Given, turns: readonly (readonly [shown: string, keys: string])[]) {
  const input = new PassThrough();
  let shown = "";
  const left = [...turns];
  const output = new Screen((text) => {
    shown += text;
    const [turn] = left;
    if (turn === undefined || !shown.includes(turn[0])) return;
    left.shift();
    shown = "";
    setImmediate(() => input.write(turn[1]));
  });
  const answers = await ask(given, checks, { input, output });
  return { answers, unasked: left };
}

const scenes: Answers = { name: "my-experiment", images: undefined, minutes: "10", labels: true };

describe("answers", () => {
  test.each<[what: string, given: Given, turns: readonly (readonly [string, string])[], want: Partial<Answers>]>([
    [
      "Enter takes what is suggested",
      {},
      [
        ["Name", enter],
        ["What to learn from", enter],
        ["Minutes", enter],
      ],
      {},
    ],
    [
      "a folder with classes",
      {},
      [
        ["Name", `mine${enter}`],
        ["What to learn from", `${down}${enter}`],
        ["Where they are", `photos${enter}`],
        ["2 folders (cat, dog)", `${down}${enter}`],
        ["Minutes", `30${enter}`],
      ],
      { name: "mine", images: "photos", labels: false, minutes: "30" },
    ],
    [
      "of a flat folder no labels are asked",
      { name: "mine" },
      [
        ["What to learn from", `${down}${enter}`],
        ["Where they are", `flat${enter}`],
        ["Minutes", enter],
      ],
      { name: "mine", images: "flat" },
    ],
    [
      "what will not do is asked again, with the reason",
      {},
      [
        ["Name", `taken${enter}`],
        ["there is a file of this name already", `2${enter}`],
        ["What to learn from", enter],
        ["Minutes", `0${enter}`],
        ["It is a number above 0.", `5${enter}`],
      ],
      { name: "taken2", minutes: "05" },
    ],
    [
      "flags have answered all",
      { name: "a", images: "photos", minutes: "3", labels: false },
      [],
      {
        name: "a",
        images: "photos",
        minutes: "3",
        labels: false,
      },
    ],
  ])("%s", async (_, given, turns, want) => {
    const { answers, unasked } = await answered(given, turns);
    expect(unasked).toEqual([]);
    expect(answers).toEqual({ ...scenes, ...want });
  });
});

test("Ctrl-C ends the questions", async () => {
  const error: unknown = await answered({}, [["Name", ctrlC]]).catch((caught: unknown) => caught);
  expect(isInterrupted(error)).toBe(true);
});
