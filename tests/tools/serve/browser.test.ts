/** The live pages in a browser, headless: they follow a log that grows, and keep what the reader did. */
import { appendFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chromiumArguments, chromiumPath, noChromium } from "../../../scripts/chromium";
import { type Serving, serve } from "../../../tools/serve/serve";
import { stepEvent } from "../../runtime/loggers/step-event";
import { makeRun, runsFolder } from "../report/made-runs";

const title =
  chromiumPath === undefined ? `live pages in a browser: skipped, since ${noChromium}` : "live pages in a browser";

describe.skipIf(chromiumPath === undefined)(title, () => {
  const folder = runsFolder();
  const complaints: string[] = [];
  let browser: Browser;
  let serving: Serving;

  const open = async (path: string): Promise<Page> => {
    const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
    page.on("console", (message) => complaints.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (request) => {
      const { protocol, origin } = new URL(request.url());
      if (protocol !== "data:" && origin !== new URL(serving.address).origin)
        complaints.push(`asked for ${request.url()}`);
    });
    await page.goto(new URL(path, serving.address).href);
    return page;
  };
  const append = (event: object): void =>
    appendFileSync(join(folder, "run", "log.jsonl"), `${JSON.stringify(event)}\n`);

  beforeAll(async () => {
    makeRun(folder, "run", { end: null, steps: 20 });
    const started = await serve({ folder, host: "127.0.0.1", port: 0, root: ".", lookEveryMs: 20 });
    if ("why" in started) throw new Error(started.why);
    serving = started;
    browser = await chromium.launch({ executablePath: chromiumPath ?? "", args: chromiumArguments });
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await serving?.close();
    rmSync(folder, { recursive: true });
  });

  it("a run's page takes up what is logged, and leaves what the reader did", async () => {
    const page = await open("/run/run");
    await page.locator("#charts canvas").first().waitFor();
    const pictures = await page.locator(".picture svg").count();
    expect(pictures).toBeGreaterThan(3);
    await page.locator('input[data-filters="fields"]').fill("encoder.depth");
    const shownFields = (): Promise<number> => page.locator("#fields tbody tr:visible").count();
    expect(await shownFields()).toBe(1);
    expect(await page.locator("#cost").textContent()).toContain("20 of");
    append(stepEvent(21));
    append(stepEvent(22));
    await page.locator("#cost td", { hasText: "22 of" }).waitFor();
    const text = await page.locator("#data").textContent();
    const { charts } = JSON.parse(text ?? "{}");
    expect(charts[0].x.at(-1)).toBe(22);
    expect(charts.map((chart: { title: string }) => chart.title)).toContain("gradient norm");
    expect(await page.locator("#charts canvas").count()).toBe(charts.length);
    expect(await shownFields()).toBe(1);
    expect(await page.locator(".picture svg").count()).toBe(pictures);
    append({ event: "end", step: 22, reason: "complete", time: "2026-01-01T00:01:00.000Z" });
    await page.locator("header .facts", { hasText: "finished" }).waitFor();
    expect(complaints).toEqual([]);
    await page.close();
  });

  it("the list shows a run that begins, and leads to its page", async () => {
    const page = await open("/");
    await page.locator("#runs a").first().waitFor();
    makeRun(folder, "another");
    await page.locator("#runs a", { hasText: "another" }).click();
    await page.locator("#charts canvas").first().waitFor();
    await page.locator("header .notes a").click();
    await page.locator("#runs a", { hasText: "another" }).waitFor();
    expect(complaints).toEqual([]);
    await page.close();
  });
});
