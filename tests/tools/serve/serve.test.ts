/** `ijepa serve` as a program meets it: what it gives, and what it refuses. */
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { get, type RequestOptions, request } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { main } from "../../../commands/main";
import { isOwnHost } from "../../../tools/serve/host";
import { type Serving, serve } from "../../../tools/serve/serve";
import { makeRun, runsFolder } from "../report/made-runs";

interface Answered {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

const folder = runsFolder();
let serving: Serving;

beforeAll(async () => {
  makeRun(folder, "first");
  makeRun(folder, "sweep/<b>&?#%", { end: null });
  mkdirSync(join(folder, "broken"));
  writeFileSync(join(folder, "broken", "experiment.json"), "{");
  writeFileSync(join(folder, "..", "secret.txt"), "secret");
  const started = await serve({ folder, host: "127.0.0.1", port: 0, root: ".", lookEveryMs: 10 });
  if ("why" in started) throw new Error(started.why);
  serving = started;
});
afterAll(async () => {
  await serving.close();
  rmSync(folder, { recursive: true });
});

/** Paths go out as they are written: `fetch` would tidy them. */
function ask(path: string, options: RequestOptions = {}): Promise<Answered> {
  const { port } = new URL(serving.address);
  return new Promise((resolve, reject) => {
    const asking = request({ host: "127.0.0.1", port, path, ...options }, (response) => {
      let text = "";
      response.on("data", (part) => {
        text += part;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text, headers: response.headers }));
    });
    asking.on("error", reject);
    asking.end();
  });
}

describe("the server", () => {
  it("lists the runs, with a link each, and says which cannot be shown", async () => {
    const { status, text, headers } = await ask("/");
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
    });
    expect(text).toContain('<a href="/run/first">first</a>');
    expect(text).toContain('<a href="/run/sweep/%3Cb%3E%26%3F%23%25">sweep/&lt;b&gt;&amp;?#%</a>');
    expect(text).toContain("broken: the run does not say what it is");
    expect(text).not.toContain("<b>&?");
  });

  it.each([
    ["/run/first", "quickstart"],
    ["/run/sweep/%3Cb%3E%26%3F%23%25", "interrupted"],
  ])("shows %s as a report shows it", async (path, words) => {
    const { status, text } = await ask(path);
    expect(status).toBe(200);
    expect(text).toContain(words);
    expect(text).toContain(">Curves</h2>");
    expect(text).toContain(`<meta name="live" content="/events${path}"`);
  });

  it("leaves pictures out of an update: the page has them", async () => {
    const figure = '<figure class="picture';
    expect((await ask("/run/first")).text).toContain(figure);
    expect((await ask("/run/first?update")).text).not.toContain(figure);
  });

  it.each([
    "/run/../secret.txt",
    "/run/..%2Fsecret.txt",
    "/run/%2e%2e/secret.txt",
    "/../secret.txt",
    "/run/first/log.jsonl",
    "/run/first/../../secret.txt",
    "//etc/passwd",
    "/run//etc/passwd",
    "/run/",
    "/run/%00",
    "/run/%",
    "/other",
    "/run/no-such-run",
  ])("has no page %s", async (path) => {
    const { status, text } = await ask(path);
    expect([404, 200]).toContain(status);
    // Dots are taken out of an address before it is looked at: that may lead to the list.
    if (status === 200) expect(text).toContain("<h1>runs in");
    expect(text).not.toMatch(/^secret|root:/m);
  });

  it.each([
    ["evil.example", 421],
    ["evil.example:7340", 421],
    ["127.0.0.1.evil.example", 421],
    ["a b", 421],
    ["localhost:1", 200],
    ["127.0.0.1", 200],
    ["[::1]:7340", 200],
  ])("asked for host %j answers %d", async (host, wanted) => {
    expect((await ask("/", { headers: { Host: host } })).status).toBe(wanted);
  });

  it("changes nothing for anybody", async () => {
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) expect((await ask("/", { method })).status).toBe(405);
  });

  it("answers to the name that it is given with --host", () => {
    expect(isOwnHost("lab.example:80", "lab.example")).toBe(true);
    expect(isOwnHost("other.example:80", "lab.example")).toBe(false);
    for (const none of [undefined, "", ":80"]) expect(isOwnHost(none, "lab.example")).toBe(false);
  });

  it("tells of a line that is appended, and of a run that begins", async () => {
    const versions: string[] = [];
    const heard = (count: number): Promise<void> =>
      new Promise((resolve, reject) => {
        const asking = get(`${serving.address}events`, (response) => {
          response.on("data", (part) => {
            versions.push(
              ...String(part)
                .split("\n")
                .filter((line) => line.startsWith("data: ")),
            );
            if (versions.length === 1)
              appendFileSync(join(folder, "first", "log.jsonl"), '{"event":"epoch","step":21,"epoch":2,"loss":0.1}\n');
            if (versions.length === 2) makeRun(folder, "third");
            if (versions.length >= count) {
              asking.destroy();
              resolve();
            }
          });
        });
        asking.on("error", (error) => (versions.length >= count ? resolve() : reject(error)));
      });
    await heard(3);
    expect(new Set(versions).size).toBe(3);
    expect((await ask("/")).text).toContain('<a href="/run/third">');
  });

  it("says so where the port is taken", async () => {
    const { port } = new URL(serving.address);
    expect(await serve({ folder, host: "127.0.0.1", port: Number(port), root: "." })).toEqual({
      why: "another program listens there",
    });
  });
});

describe("the command", () => {
  const said = async (...args: readonly string[]): Promise<readonly [code: number, text: string]> => {
    let text = "";
    vi.spyOn(process.stderr, "write").mockImplementation((part) => {
      text += String(part);
      return true;
    });
    const code = await main(["serve", ...args]);
    vi.restoreAllMocks();
    return [code, text];
  };

  it.each([
    [
      () => [folder, "--port", new URL(serving.address).port],
      /^E476 the pages cannot be served at 127\.0\.0\.1, port \d+/,
    ],
    [() => [join(folder, "nowhere")], /E475 there is no such folder/],
    [() => [folder, "--port", "80a"], /--port is "80a"/],
    [() => [folder, "--host", "192.0.2.1"], /^E476 the pages cannot be served at 192\.0\.2\.1/],
  ] as const)("says what is wrong: case %#", async (args, wanted) => {
    const [code, text] = await said(...args());
    expect(code).toBe(2);
    expect(text).toMatch(wanted);
  });
});
