/** The page in a browser, headless, as a reader sees it. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chromiumArguments, chromiumPath, noChromium } from "../../../scripts/chromium";
import { reportRuns } from "../../../tools/report/report";
import { ijepa } from "../../support/command";
import { makeRun as makeTrainedRun, smallSpec } from "../../support/exported";
import { makeRun, runsFolder } from "./made-runs";

const title =
  chromiumPath === undefined ? `a report in a browser: skipped, since ${noChromium}` : "a report in a browser";

interface Seen {
  readonly ground: string;
  readonly text: string;
  readonly curves: readonly boolean[];
  /** Tables that are wider than the page. */
  readonly cut: readonly string[];
  /** Headings that links lead to; false where one leads elsewhere. */
  readonly links: readonly (string | false)[];
  readonly scrolls: boolean;
  readonly pictures: readonly boolean[];
}

// What runs in the page is text: nothing else here knows a document.
const look = `({
  ground: getComputedStyle(document.body).backgroundColor,
  text: getComputedStyle(document.body).color,
  curves: [...document.querySelectorAll("canvas")].map((canvas) =>
    canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value !== 0)),
  cut: [...document.querySelectorAll(".scroll:has(#evaluations, #probes, #fields)")].filter((box) => box.scrollWidth > box.clientWidth).map((box) => box.firstElementChild.id),
  links: [...document.querySelectorAll(".parts a")].map((link) =>
    document.getElementById(link.getAttribute("href").slice(1))?.textContent === link.textContent && link.textContent),
  scrolls: document.documentElement.scrollWidth > document.documentElement.clientWidth,
  pictures: [...document.querySelectorAll(".picture svg")].map((svg) => svg.getBoundingClientRect().height > 40),
})`;
const widthsOfImages = `Promise.all([...document.querySelectorAll("symbol image")].map(async (picture) => {
  const image = new Image();
  image.src = picture.getAttribute("href");
  await image.decode();
  return image.naturalWidth;
}))`;

describe.skipIf(chromiumPath === undefined)(title, () => {
  const folder = runsFolder();
  let browser: Browser;
  let address = "";
  const complaints: string[] = [];
  const open = async (colorScheme: "light" | "dark"): Promise<Page> => {
    const page = await browser.newPage({ colorScheme, viewport: { width: 1200, height: 900 } });
    page.on("console", (message) => complaints.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (request) => {
      if (!/^(file|data):/.test(request.url())) complaints.push(`asked for ${request.url()}`);
    });
    await page.goto(address);
    return page;
  };

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: chromiumPath ?? "", args: chromiumArguments });
    const trained = join(folder, "trained");
    await makeTrainedRun(trained);
    const spec = join(folder, "small.json");
    writeFileSync(spec, JSON.stringify(smallSpec));
    const decoded = await ijepa("decode", trained, "--spec", spec, "--steps", "40", "--threads", "1");
    if (decoded.code !== 0) throw new Error(decoded.err);
    const runs = [makeRun(folder, "<script>", { clips: true }), makeRun(folder, "b", { change: { seed: 3 } })];
    const reported = await reportRuns({ runs: [...runs, trained], out: null, root: ".", images: 20 });
    if (!reported.ok) throw new Error(reported.diagnostics.map(({ what }) => what).join());
    address = pathToFileURL(reported.file).href;
  }, 240_000);
  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true });
  });

  it.each(["light", "dark"] as const)("renders in %s, without a word in the console", async (scheme) => {
    const page = await open(scheme);
    const seen = await page.evaluate<Seen>(look);
    expect([seen.ground, seen.text]).toEqual(
      scheme === "light" ? ["rgb(255, 255, 255)", "rgb(28, 32, 38)"] : ["rgb(20, 23, 27)", "rgb(230, 233, 238)"],
    );
    // Six of the steps, four of the evaluations.
    expect(seen.curves).toEqual(Array(10).fill(true));
    expect(seen.pictures.length).toBeGreaterThan(10);
    expect(seen.pictures).not.toContain(false);
    expect(seen.scrolls).toBe(false);
    expect(seen.cut).toEqual([]);
    const masks = "Masks: quickstart (<script>)";
    expect(seen.links).toEqual(expect.arrayContaining(["Curves", "Evaluation", masks, "Cost", "Experiment"]));
    expect(seen.links).not.toContain(false);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it("shows the images of its pictures", async () => {
    const page = await open("light");
    const sizes = await page.evaluate<number[]>(widthsOfImages);
    expect(sizes.length).toBeGreaterThan(20);
    expect(Math.min(...sizes)).toBeGreaterThan(0);
    const missing = await page.evaluate<string[]>(
      `[...document.querySelectorAll("use")].map((use) => use.getAttribute("href")).filter((id) => document.querySelector(id) === null)`,
    );
    expect(missing).toEqual([]);
    await page.close();
  });

  it.each(["light", "dark"] as const)(
    "shows in %s what a predictor expects, and hides what it has not seen",
    async (scheme) => {
      const page = await open(scheme);
      const section = page.locator("section", { has: page.locator("h2", { hasText: "What the predictor expects" }) });
      expect(await section.count()).toBe(1);
      const [pictures, bars] = [section.locator(".picture svg").nth(0), section.locator(".picture svg").nth(1)];
      // Four images: each once, and under three draws its context and two decodings.
      expect(await pictures.locator("use").count()).toBe(4 * (1 + 3 * 3));
      expect(await pictures.locator("path.outline").count()).toBe(4 * 3 * 2);
      expect(await bars.locator("rect").count()).toBe(4);
      const opacity = `getComputedStyle(document.querySelector("path.cut")).fillOpacity`;
      expect(await page.evaluate<string>(opacity)).toBe("1");
      const ground = `getComputedStyle(document.querySelector("path.cut")).fill`;
      expect(await page.evaluate<string>(ground)).toBe(scheme === "light" ? "rgb(223, 227, 232)" : "rgb(48, 54, 62)");
      expect(complaints).toEqual([]);
      await page.close();
    },
  );

  it("sorts by a click, the other way by the next, and filters by words", async () => {
    const page = await open("light");
    const column = (at: number): Promise<string[]> =>
      page.locator(`#evaluations tbody tr:visible td:nth-child(${at})`).allTextContents();
    // A cell for the colour comes first: run, representation, step, accuracy.
    const probe = 5;
    const click = () =>
      page
        .locator("#evaluations thead button")
        .nth(probe - 2)
        .click();
    await click();
    expect(await column(probe)).toEqual(["25.0", "25.0", "30.0", "30.0", "50.0", "50.0"]);
    await click();
    expect(await column(probe)).toEqual(["50.0", "50.0", "30.0", "30.0", "25.0", "25.0"]);
    await page.locator('input[data-filters="evaluations"]').fill("raw script");
    expect(await column(2)).toEqual(["quickstart (<script>)"]);
    expect(await column(3)).toEqual(["raw pixels (16×16)"]);
    await page.locator('input[data-filters="evaluations"]').fill("");
    expect(await column(2)).toHaveLength(6);
    await page.close();
  });

  it("hides a run that is clicked in the legend, and shows it again", async () => {
    const page = await open("light");
    const button = page.locator("#legend button").first();
    expect(await button.textContent()).toBe("quickstart (<script>)");
    await button.click();
    expect(await button.getAttribute("aria-pressed")).toBe("false");
    await page.locator("#legend button.all").click();
    expect(await button.getAttribute("aria-pressed")).toBe("true");
    await page
      .locator(".u-over")
      .first()
      .hover({ position: { x: 120, y: 60 } });
    expect(complaints).toEqual([]);
    await page.close();
  });
});
