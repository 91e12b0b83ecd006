/** Logs on servers: what is sent, once and in order, whatever becomes of the server, the run and the process. */
import { appendFileSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { Cadence } from "../../../../runtime/loggers/remote/follow";
import { openRemote, type RemoteName } from "../../../../runtime/loggers/remote/open";
import type { LogEvent } from "../../../../runtime/report/jsonl";
import { openJsonl } from "../../../../runtime/report/jsonl";
import { tinyExperiment } from "../../loop/tiny";
import { stepEvent } from "../step-event";
import { type Answer, asMlflow, type FakeServer, fakeServer } from "./fake-server";

const started = "2026-01-01T00:00:00.000Z";
const startEvent = (step: number): LogEvent => ({
  event: "start",
  step,
  experiment: "tiny",
  specHash: "0",
  generatorVersion: "0",
  engine: "e",
  node: "n",
  time: started,
});
const endEvent = (step: number, reason = "complete"): LogEvent => ({ event: "end", step, reason, time: started });

const quick: Partial<Cadence> = { lookEvery: 5, retryFirst: 5, retryMost: 20, closeWithin: 5_000 };

const open: FakeServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});
async function serverOf(answer: Answer, port?: number): Promise<FakeServer> {
  const server = await fakeServer(answer, port);
  open.push(server);
  return server;
}

const folder = (): string => mkdtempSync(join(tmpdir(), "ijepa-remote-"));
const write = (directory: string, events: readonly LogEvent[]): void => {
  for (const event of events) appendFileSync(join(directory, "log.jsonl"), `${JSON.stringify(event)}\n`);
};

function follow(
  directory: string,
  address: string,
  more: {
    readonly name?: RemoteName;
    readonly goesOn?: boolean;
    readonly variables?: Readonly<Record<string, string>>;
    readonly cadence?: Partial<Cadence>;
    readonly notes?: string[];
  } = {},
) {
  const { name = "mlflow", goesOn = false, variables = {}, cadence = {}, notes = [] } = more;
  return openRemote({
    name,
    address,
    experiment: tinyExperiment,
    directory,
    log: join(directory, "log.jsonl"),
    goesOn,
    variables,
    note: (line) => notes.push(line),
    cadence: { ...quick, ...cadence },
  });
}

/** [name, step, value] of every number that MLflow got. */
const metricsAt = ({ asked }: FakeServer): readonly (readonly [string, number, number])[] =>
  asked.flatMap(({ path, body }) =>
    path.endsWith("log-batch")
      ? (body.metrics ?? []).map(
          (metric: { key: string; step: number; value: number }) => [metric.key, metric.step, metric.value] as const,
        )
      : [],
  );
const lossSteps = (server: FakeServer): readonly number[] =>
  metricsAt(server).flatMap(([key, step]) => (key === "train/loss" ? [step] : []));
const statuses = ({ asked }: FakeServer): readonly string[] =>
  asked.flatMap(({ path, body }) => (path.endsWith("runs/update") ? [body.status] : []));

/** Until the condition holds; the test's own time limit ends it. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe("MLflow", () => {
  it("gets the experiment, the constants, every step and the end", async () => {
    const directory = folder();
    const server = await serverOf(asMlflow);
    write(directory, [startEvent(0), stepEvent(1), stepEvent(2)]);
    const follower = follow(directory, `${server.address}/`);
    await until(() => lossSteps(server).length === 2);
    write(directory, [stepEvent(3), endEvent(3)]);
    await follower.close();
    const [asked, made, run, params] = server.asked;
    expect([asked?.method, asked?.path]).toEqual([
      "GET",
      "/api/2.0/mlflow/experiments/get-by-name?experiment_name=ijepa",
    ]);
    expect(made?.body).toEqual({ name: "ijepa" });
    expect(run?.body).toMatchObject({ experiment_id: "7", run_name: directory.split("/").at(-1) });
    expect(params?.body.params).toContainEqual({ key: "encoder.depth", value: "2" });
    expect(lossSteps(server)).toEqual([1, 2, 3]);
    expect(metricsAt(server)).toContainEqual(["train/gradientNorm", 2, 4]);
    const times = server.asked
      .flatMap(({ body }) => body?.metrics ?? [])
      .map(({ timestamp }: { timestamp: number }) => timestamp);
    // A step takes 80 ms and 20 ms of waiting.
    expect([...new Set(times)]).toEqual([1, 2, 3].map((step) => Date.parse(started) + 100 * step));
    expect(statuses(server)).toEqual(["FINISHED"]);
    expect(follower.done()).toEqual({ rows: 3, isAll: true });
  });

  it("has its token in a header, and nothing else has it", async () => {
    const directory = folder();
    const token = "a-secret-token";
    const server = await serverOf(() => ({ status: 403, body: { message: "no right" } }));
    const notes: string[] = [];
    write(directory, [startEvent(0), stepEvent(1)]);
    const follower = follow(directory, server.address, { variables: { MLFLOW_TRACKING_TOKEN: token }, notes });
    await until(() => notes.length > 0);
    await follower.close();
    expect(server.asked[0]?.headers.authorization).toBe(`Bearer ${token}`);
    expect(notes.join("\n")).toMatch(
      /^R221: MLflow at http:\/\/127\.0\.0\.1:\d+ refuses: it answered 403: no right\. Training goes on/,
    );
    const written = ["log.jsonl", "mlflow.json"].map((name) => join(directory, name)).filter(existsSync);
    for (const text of [...notes, ...written.map((path) => readFileSync(path, "utf8"))])
      expect(text).not.toContain(token);
    // A server that refuses is not asked again.
    expect(server.asked).toHaveLength(1);
  });

  it("user and password are sent as MLflow's client sends them", async () => {
    const directory = folder();
    const server = await serverOf(asMlflow);
    write(directory, [startEvent(0), stepEvent(1)]);
    await follow(directory, server.address, {
      variables: { MLFLOW_TRACKING_USERNAME: "u", MLFLOW_TRACKING_PASSWORD: "p", MLFLOW_EXPERIMENT_NAME: "my runs" },
    }).close();
    expect(server.asked[0]?.headers.authorization).toBe(`Basic ${Buffer.from("u:p").toString("base64")}`);
    expect(server.asked[0]?.path).toContain("experiment_name=my%20runs");
  });

  it.each([
    ["complete", "FINISHED"],
    ["steps", "FINISHED"],
    ["SIGTERM", "KILLED"],
    ["failed", "FAILED"],
  ])("ends as %s: %s", async (reason, status) => {
    const directory = folder();
    const server = await serverOf(asMlflow);
    write(directory, [startEvent(0), stepEvent(1), endEvent(1, reason)]);
    await follow(directory, server.address).close();
    expect(statuses(server)).toEqual([status]);
  });

  it("gets long logs in requests of at most a thousand numbers", async () => {
    const directory = folder();
    const server = await serverOf(asMlflow);
    write(directory, [startEvent(0), ...Array.from({ length: 450 }, (_, i) => stepEvent(i + 1)), endEvent(450)]);
    await follow(directory, server.address).close();
    expect(lossSteps(server)).toEqual(Array.from({ length: 450 }, (_, i) => i + 1));
    for (const { body } of server.asked) expect(body?.metrics?.length ?? 0).toBeLessThanOrEqual(1000);
  });
});

describe("a start whose answer never comes", () => {
  it("is found again, and not begun twice", async () => {
    const directory = folder();
    let tag = "";
    const server = await serverOf((asked) => {
      if (asked.path.endsWith("runs/create")) {
        tag = asked.body.tags.find(({ key }: { key: string }) => key === "ijepa.start").value;
        return { status: 502 };
      }
      if (asked.path.endsWith("runs/search")) return { body: { runs: [{ info: { run_id: "run-2" } }] } };
      return asMlflow(asked);
    });
    write(directory, [startEvent(0), stepEvent(1), endEvent(1)]);
    const follower = follow(directory, server.address);
    await until(() => lossSteps(server).length === 1);
    await follower.close();
    const searched = server.asked.find(({ path }) => path.endsWith("runs/search"));
    expect(searched?.body).toEqual({ experiment_ids: ["7"], filter: `tags."ijepa.start" = '${tag}'` });
    expect(server.asked.filter(({ path }) => path.endsWith("runs/create"))).toHaveLength(1);
    expect(server.asked.at(-1)?.body).toMatchObject({ run_id: "run-2", status: "FINISHED" });
  });
});

describe("a server that is away", () => {
  it("is one note, is asked again, and gets everything when it is back", async () => {
    const directory = folder();
    let isUp = false;
    const server = await serverOf((asked) => (isUp ? asMlflow(asked) : { status: 503, body: { message: "starting" } }));
    const notes: string[] = [];
    write(directory, [startEvent(0), stepEvent(1)]);
    const follower = follow(directory, server.address, { notes });
    await until(() => server.asked.length >= 4);
    expect(notes).toEqual([
      expect.stringMatching(/^R220: MLflow at .* does not answer: it answered 503: starting\. Training goes on/),
    ]);
    write(directory, [stepEvent(2)]);
    isUp = true;
    await until(() => lossSteps(server).length === 2);
    await follower.close();
    expect(notes.slice(1)).toEqual([expect.stringMatching(/answers again\.$/)]);
    expect(lossSteps(server)).toEqual([1, 2]);
  });

  it("holds up the end of a run for its time and no longer, and a later push sends the rest", async () => {
    const directory = folder();
    const notes: string[] = [];
    let answers = true;
    const server = await serverOf((asked) => (answers ? asMlflow(asked) : "never"));
    write(directory, [startEvent(0), stepEvent(1)]);
    const follower = follow(directory, server.address, { notes, cadence: { closeWithin: 50 } });
    await until(() => existsSync(join(directory, "mlflow.json")) && lossSteps(server).length === 1);
    answers = false;
    write(directory, [stepEvent(2), endEvent(2)]);
    await follower.close();
    expect(notes).toEqual([
      expect.stringMatching(/^R222: MLflow at .* has not got all of the log: .*`ijepa log push .*` sends the rest\.$/),
    ]);
    expect(follower.done().isAll).toBe(false);
    answers = true;
    const before = server.asked.length;
    const again = follow(directory, server.address, { goesOn: true });
    await again.close();
    expect(again.done()).toEqual({ rows: 1, isAll: true });
    // Into the same run, and only what was missing.
    expect(server.asked.slice(before).map(({ path }) => path.replace(/.*mlflow\//, ""))).toEqual([
      "runs/update",
      "runs/log-batch",
      "runs/update",
    ]);
  });

  it("that nobody runs is a note too", async () => {
    const directory = folder();
    const gone = await fakeServer(asMlflow);
    await gone.close();
    const notes: string[] = [];
    write(directory, [startEvent(0), stepEvent(1)]);
    const follower = follow(directory, gone.address, { notes, cadence: { closeWithin: 50 } });
    await until(() => notes.length === 1);
    await follower.close();
    expect(notes[0]).toMatch(/^R220: .* does not answer: ECONNREFUSED/);
    expect(notes[1]).toMatch(/^R222: /);
  });
});

describe("a run that goes on", () => {
  it("is the same run there, and no step is sent twice", async () => {
    const directory = folder();
    const server = await serverOf(asMlflow);
    write(directory, [startEvent(0), ...[1, 2, 3, 4, 5].map(stepEvent), endEvent(5, "SIGTERM")]);
    await follow(directory, server.address).close();
    // The checkpoint was after step 3: the log is cut to it, as a trainer does.
    const log = await openJsonl(join(directory, "log.jsonl"), { stepsDone: 3 });
    const follower = follow(directory, server.address, { goesOn: true });
    for (const event of [startEvent(3), ...[4, 5, 6].map(stepEvent), endEvent(6)]) log.append(event);
    await follower.close();
    expect(lossSteps(server)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(statuses(server)).toEqual(["KILLED", "RUNNING", "FINISHED"]);
    expect(server.asked.filter(({ path }) => path.endsWith("runs/create"))).toHaveLength(1);
  });

  it("begins anew on another server, and where the run began anew", async () => {
    const directory = folder();
    const [first, second] = [await serverOf(asMlflow), await serverOf(asMlflow)];
    write(directory, [startEvent(0), stepEvent(1), stepEvent(2)]);
    await follow(directory, first.address).close();
    await follow(directory, second.address, { goesOn: true }).close();
    expect(lossSteps(second)).toEqual([1, 2]);
    await follow(directory, second.address, { goesOn: false }).close();
    expect(second.asked.filter(({ path }) => path.endsWith("runs/create"))).toHaveLength(2);
  });

  it("is not stopped by a file of ours that is damaged", async () => {
    const directory = folder();
    const server = await serverOf(asMlflow);
    write(directory, [startEvent(0), stepEvent(1)]);
    for (const damaged of [
      "",
      "{",
      "null",
      '{"address":1}',
      `{"address":"${server.address}","id":"x","sent":{"step":"a"}}`,
    ]) {
      writeFileSync(join(directory, "mlflow.json"), damaged);
      const follower = follow(directory, server.address, { goesOn: true });
      await follower.close();
      expect(follower.done().isAll, damaged).toBe(true);
    }
  });
});

describe("Trackio", () => {
  it("gets the constants and every step, each under a number of its own", async () => {
    const directory = folder();
    const server = await serverOf(() => ({ body: { data: null } }));
    write(directory, [
      startEvent(0),
      stepEvent(1),
      stepEvent(2),
      { event: "epoch", step: 2, epoch: 1, loss: 0.5 },
      endEvent(2),
    ]);
    const variables = { TRACKIO_WRITE_TOKEN: "secret", TRACKIO_PROJECT: "mine" };
    await follow(directory, server.address, { name: "trackio", variables }).close();
    for (const { method, path, headers } of server.asked) {
      expect([method, path, headers["x-trackio-write-token"]]).toEqual(["POST", "/api/bulk_log", "secret"]);
    }
    const logs = server.asked.flatMap(({ body }) => body.logs);
    expect(logs[0]).toMatchObject({
      project: "mine",
      run: directory.split("/").at(-1),
      config: { "encoder.depth": "2" },
    });
    expect(logs.slice(1).map(({ step, metrics }) => [step, metrics["train/loss"], metrics["epoch/loss"]])).toEqual([
      [1, 0.5, undefined],
      [2, 0.25, undefined],
      [2, undefined, 0.5],
    ]);
    expect(new Set(logs.map(({ log_id }) => log_id)).size).toBe(logs.length);
    expect(new Set(logs.map(({ run_id }) => run_id)).size).toBe(1);
    expect(JSON.stringify(server.asked.map(({ body }) => body))).not.toContain("secret");
  });
});
