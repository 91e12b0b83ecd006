/** How a run is told where to log: addresses, flags, and what the experiment says. */
import { describe, expect, it } from "vitest";
import { parseFlags } from "../../../runtime/cli";
import { addressProblem } from "../../../runtime/loggers/address";
import { tinyExperiment } from "../loop/tiny";

describe("an address", () => {
  it.each([
    ["http://localhost:5000", null],
    ["https://mlflow.example.org/behind/a/proxy/", null],
    ["localhost:5000", "it begins with localhost:"],
    ["mlflow", "it is no address"],
    ["file:///tmp/runs", "it begins with file:"],
    ["http://user@localhost", "it has a user or a password in it"],
    ["http://user:password@localhost", "it has a user or a password in it"],
    ["http://localhost:7860/?write_token=x", "it has a query or a fragment"],
  ])("%s: %j", (text, wanted) => {
    expect(addressProblem(text)).toBe(wanted);
  });
});

describe("the flags of a trainer", () => {
  const log = { ...tinyExperiment.log, tensorboard: true, mlflow: "http://a:1", trackio: null };
  const asked = { ...tinyExperiment, log };
  it.each([
    [tinyExperiment, [], { tensorboard: false, mlflow: null, trackio: null }],
    [
      tinyExperiment,
      ["--tensorboard", "--trackio", "http://b:2"],
      { tensorboard: true, mlflow: null, trackio: "http://b:2" },
    ],
    [asked, [], { tensorboard: true, mlflow: "http://a:1", trackio: null }],
    [asked, ["--no-tensorboard", "--mlflow", "off"], { tensorboard: false, mlflow: null, trackio: null }],
    [asked, ["--mlflow", "https://c/x"], { tensorboard: true, mlflow: "https://c/x", trackio: null }],
  ] as const)("case %#", (experiment, args, wanted) => {
    expect(parseFlags(experiment, args)).toMatchObject({ kind: "run", flags: { loggers: wanted } });
  });

  it("refuse an address with a token in it, and do not repeat it as a default", () => {
    const refused = parseFlags(tinyExperiment, ["--mlflow", "http://user:token@host"]);
    expect(refused).toMatchObject({ kind: "text", exitCode: 2 });
    expect(refused).toMatchObject({ text: expect.stringContaining("it has a user or a password in it") });
  });
});
