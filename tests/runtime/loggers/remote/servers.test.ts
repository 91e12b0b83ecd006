/**
 * Logs on the real servers: MLflow and Trackio on this machine get a log, say it back, and get no step twice when the run goes
 * on. `IJEPA_PYTHON` names a Python with `mlflow` and `trackio`, else `python3`.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openRemote, type RemoteName } from "../../../../runtime/loggers/remote/open";
import type { LogEvent } from "../../../../runtime/report/jsonl";
import { tinyExperiment } from "../../loop/tiny";
import { stepEvent } from "../step-event";

const python = process.env.IJEPA_PYTHON ?? "python3";
const hasPackage = (name: string): boolean => {
  const isThere =
    spawnSync(python, ["-c", `import importlib.util, sys; sys.exit(importlib.util.find_spec("${name}") is None)`])
      .status === 0;
  if (!isThere) console.log(`Python's ${name} is not here (IJEPA_PYTHON): that its server takes a log is not tested.`);
  return isThere;
};

const place = mkdtempSync(join(tmpdir(), "ijepa-servers-"));
const started: ChildProcess[] = [];
afterAll(() => {
  for (const { pid } of started) if (pid !== undefined) process.kill(-pid, "SIGKILL");
  rmSync(place, { recursive: true, force: true, maxRetries: 5 });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const at = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (typeof at !== "object" || at === null) throw new Error("no port");
  return at.port;
}

/** Waits until it answers; the test's own limit ends that. */
async function start(
  args: readonly string[],
  port: number,
  variables: Readonly<Record<string, string>> = {},
): Promise<string> {
  // A group of its own: such servers start others.
  const child = spawn(python, args, {
    cwd: place,
    env: { ...process.env, ...variables },
    stdio: "ignore",
    detached: true,
  });
  started.push(child);
  const address = `http://127.0.0.1:${port}`;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
    const answer = await fetch(address).catch(() => null);
    if (answer !== null) return address;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

const time = "2026-01-01T00:00:00.000Z";
const begun = (step: number): LogEvent => ({
  event: "start",
  step,
  experiment: "tiny",
  specHash: "0",
  generatorVersion: "0",
  engine: "e",
  node: "n",
  time,
});
const ended = (step: number, reason: string): LogEvent => ({ event: "end", step, reason, time });

/** A run of three steps that was stopped, and went on to the fifth. Gives its folder. */
async function logTwice(
  name: RemoteName,
  address: string,
  variables: Readonly<Record<string, string>>,
): Promise<string> {
  const directory = mkdtempSync(join(place, "run-"));
  const log = join(directory, "log.jsonl");
  const notes: string[] = [];
  const send = async (goesOn: boolean, events: readonly LogEvent[]): Promise<void> => {
    for (const event of events) appendFileSync(log, `${JSON.stringify(event)}\n`);
    const note = (line: string) => notes.push(line);
    const cadence = { closeWithin: 60_000 };
    const follower = openRemote({
      name,
      address,
      experiment: tinyExperiment,
      directory,
      log,
      goesOn,
      variables,
      note,
      cadence,
    });
    await follower.close();
    expect(follower.done().isAll).toBe(true);
  };
  await send(false, [begun(0), ...[1, 2, 3].map(stepEvent), ended(3, "SIGTERM")]);
  await send(true, [begun(3), ...[4, 5].map(stepEvent), ended(5, "complete")]);
  // A machine that is busy may have been late; a refusal would not go away.
  expect(notes.join("\n")).not.toMatch(/R22[12]/);
  return directory;
}

async function post(url: string, body: object, headers: Readonly<Record<string, string>> = {}): Promise<unknown> {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${answer.status}: ${text}`);
  return JSON.parse(text);
}

const losses = [1, 2, 3, 4, 5].map((step) => [step, 0.5 / step]);

describe.skipIf(!hasPackage("mlflow"))("a tracking server of MLflow", () => {
  it("has every step once, the constants, and how the run ended", async () => {
    const port = await freePort();
    const store = `sqlite:///${join(place, "mlflow.db")}`;
    const args = [
      "-m",
      "mlflow",
      "server",
      "--host",
      "127.0.0.1",
      "--port",
      String(port),
      "--workers",
      "1",
      "--backend-store-uri",
      store,
    ];
    const address = await start(args, port);
    const directory = await logTwice("mlflow", address, { MLFLOW_EXPERIMENT_NAME: "ours" });
    const found = (await (
      await fetch(`${address}/api/2.0/mlflow/experiments/get-by-name?experiment_name=ours`)
    ).json()) as { experiment: { experiment_id: string } }; // as documented
    const search = { experiment_ids: [found.experiment.experiment_id] };
    const { runs } = (await post(`${address}/api/2.0/mlflow/runs/search`, search)) as {
      runs: { info: { run_id: string } }[];
    }; // as documented
    expect(runs).toMatchObject([{ info: { run_name: basename(directory), status: "FINISHED" } }]);
    expect(runs[0]).toMatchObject({ data: { params: expect.arrayContaining([{ key: "encoder.depth", value: "2" }]) } });
    const query = `run_id=${runs[0]?.info.run_id}&metric_key=train%2Floss`;
    const history = await fetch(`${address}/api/2.0/mlflow/metrics/get-history?${query}`);
    const { metrics } = (await history.json()) as { metrics: { step: number; value: number }[] }; // as documented
    const got: readonly (readonly [number, number])[] = metrics.map(
      ({ step, value }: { step: number; value: number }) => [step, value],
    );
    // In the order of their times, of which both starts of this run have the same.
    expect([...got].sort(([a], [b]) => a - b)).toEqual(losses);
  }, 180_000);
});

describe.skipIf(!hasPackage("trackio"))("a server of Trackio", () => {
  it("has every step once, of one run", async () => {
    const port = await freePort();
    const token = "a-token-for-this-test";
    const script = `import trackio\ntrackio.show(host="127.0.0.1", server_port=${port}, open_browser=False, block_thread=True)`;
    const address = await start(["-c", script], port, {
      TRACKIO_DIR: join(place, "trackio"),
      TRACKIO_WRITE_TOKEN: token,
    });
    const directory = await logTwice("trackio", address, { TRACKIO_WRITE_TOKEN: token, TRACKIO_PROJECT: "ours" });
    const ask = (name: string, body: object) =>
      post(`${address}/api/${name}`, body, { "X-Trackio-Write-Token": token });
    const run = basename(directory);
    const runs = await ask("get_runs_for_project", { project: "ours" });
    expect(runs).toMatchObject({ data: [{ name: run }] });
    const values = await ask("get_metric_values", { project: "ours", run, metric_name: "train/loss" });
    const { data } = values as { data: { step: number; value: number }[] }; // as its own client takes it
    expect(data.map(({ step, value }) => [step, value])).toEqual(losses);
  }, 180_000);

  it("refuses a log without its token, and the run hears of it once", async () => {
    const port = await freePort();
    const script = `import trackio\ntrackio.show(host="127.0.0.1", server_port=${port}, open_browser=False, block_thread=True)`;
    const address = await start(["-c", script], port, {
      TRACKIO_DIR: join(place, "other"),
      TRACKIO_WRITE_TOKEN: "right",
    });
    const directory = mkdtempSync(join(place, "run-"));
    const log = join(directory, "log.jsonl");
    appendFileSync(log, `${JSON.stringify(begun(0))}\n${JSON.stringify(stepEvent(1))}\n`);
    const notes: string[] = [];
    const variables = { TRACKIO_WRITE_TOKEN: "wrong" };
    const note = (line: string) => notes.push(line);
    await openRemote({
      name: "trackio",
      address,
      experiment: tinyExperiment,
      directory,
      log,
      goesOn: false,
      variables,
      note,
    }).close();
    expect(notes).toEqual([expect.stringMatching(/^R221: Trackio at .* refuses: .*write_token/)]);
  }, 180_000);
});
