import { describe, expect, it } from "vitest";
import { flagNames, MOST_THREADS, parseFlags, type TrainerFlags } from "../../runtime/cli";
import experimentSchema from "../../schema/experiment.schema.json";
import { tinyExperiment } from "./loop/tiny";

const defaults: TrainerFlags = {
  dataRoot: ".",
  runDirectory: "runs/tiny",
  resume: { from: "nothing" },
  initFrom: null,
  stopAtStep: null,
  floors: [],
  logEverySteps: 2,
  logEveryGiven: false,
  loggers: { tensorboard: false, mlflow: null, trackio: null },
  threads: 1,
  workers: 1,
  pjrtPlugin: null,
  progress: true,
  quiet: false,
};

const accepted: readonly [args: string, changed: Partial<TrainerFlags>][] = [
  ["", {}],
  ["--data /mnt/images", { dataRoot: "/mnt/images" }],
  ["--data=/mnt/images", { dataRoot: "/mnt/images" }],
  ["--run-dir runs/other", { runDirectory: "runs/other" }],
  ["--resume", { resume: { from: "latest" } }],
  ["--resume latest", { resume: { from: "latest" } }],
  ["--resume --steps 20", { resume: { from: "latest" }, stopAtStep: 20 }],
  ["--resume runs/a/a-ep5.safetensors", { resume: { from: "path", path: "runs/a/a-ep5.safetensors" } }],
  ["--resume=auto", { resume: { from: "auto" } }],
  ["--resume=auto --init-from a.pth", { resume: { from: "auto" }, initFrom: "a.pth" }],
  ["--init-from vith14.pth.tar", { initFrom: "vith14.pth.tar" }],
  ["--steps 7", { stopAtStep: 7 }],
  ["--floor loss@2=0.3", { floors: [{ metric: "loss", epoch: 2, value: 0.3, goal: "min" }] }],
  [
    "--floor shape.knn@1=0.2 --floor=rankMe@3<=1e3",
    {
      floors: [
        { metric: "shape.knn", epoch: 1, value: 0.2, goal: "max" },
        { metric: "rankMe", epoch: 3, value: 1000, goal: "min" },
      ],
    },
  ],
  ["--log-every 100", { logEverySteps: 100, logEveryGiven: true }],
  ["--threads 0 --workers 3", { threads: 0, workers: 3 }],
  ["--no-progress", { progress: false }],
  ["--quiet", { quiet: true }],
];

const refused: readonly [args: string, says: RegExp][] = [
  ["--step 7", /unknown option '--step'[\s\S]*Did you mean --steps\?/],
  ["--learning-rate 1", /unknown option '--learning-rate'/],
  ["--steps", /argument missing/],
  ["--steps 0", /'--steps <n>'.*'0'.*whole number, 1 or more/],
  ["--steps 1e3", /whole number/],
  ["--steps 2.5", /whole number/],
  ["--steps -4", /whole number/],
  ["--init-from a.pth --resume", /'--init-from <file>' cannot be used with option '--resume/],
  ["--floor loss", /'--floor <metric@epoch=value>'.*'loss'.*metric@epoch=value/],
  ["--floor loss@0=1", /metric@epoch=value/],
  ["--floor loss@1=low", /metric@epoch=value/],
  ["--threads two", /whole number from 0 to 1024/],
  ["--threads 1025", /whole number from 0 to 1024/],
  ["--workers 1025", /whole number from 0 to 1024/],
  ["--workers 99999999999999999999", /whole number/],
  ["--log-every 0", /1 or more/],
  ["--run-dir=", /must name a folder/],
  ["extra", /too many arguments/],
];

describe("flags", () => {
  it.each(accepted)("%s", (args, changed) => {
    expect(parseFlags(tinyExperiment, args === "" ? [] : args.split(" "))).toEqual({
      kind: "run",
      flags: { ...defaults, ...changed },
    });
  });

  it.each(refused)("refuses %s", (args, says) => {
    const result = parseFlags(tinyExperiment, args.split(" "));
    expect(result).toMatchObject({ kind: "text", exitCode: 2, text: expect.stringMatching(says) });
  });

  it("--help names every flag", () => {
    const result = parseFlags(tinyExperiment, ["--help"]);
    if (result.kind !== "text") throw new Error("no text");
    expect(result.exitCode).toBe(0);
    const flags =
      "--data --run-dir --resume --init-from --steps --floor --log-every --tensorboard --no-tensorboard --mlflow --trackio --threads --workers --pjrt-plugin --no-progress --quiet --version";
    for (const flag of flags.split(" ")) expect(result.text).toContain(flag);
    expect(flagNames()).toEqual(flags.split(" "));
  });

  it("allows as many threads as a spec does", () => {
    const { hardware } = experimentSchema.$defs;
    expect([hardware.properties.threads.maximum, hardware.properties.workers.maximum]).toEqual([
      MOST_THREADS,
      MOST_THREADS,
    ]);
  });

  it("--version says what was compiled", () => {
    expect(parseFlags(tinyExperiment, ["--version"])).toEqual({
      kind: "text",
      exitCode: 0,
      text: "tiny, compiled by ijepa 0.1.0 (spec 0123456789abcdef)\n",
    });
  });
});
