/**
 * Takes docs/images/report.png and decoded.png: parts of the report of a run, as a browser shows it. `npx tsx
 * scripts/report-picture.ts runs/quickstart` takes them anew, or with a name after it that one alone; decoded is left as it is
 * where the run has no decoder (`ijepa decode`). It needs a Chromium.
 */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { argv } from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium, type Page } from "playwright-core";
import sharp, { type Sharp } from "sharp";
import { reportRuns } from "../tools/report/report";
import { chromiumArguments, chromiumPath, noChromium } from "./chromium";

/** What each shows; null where the page has no such part. */
const pictures: Readonly<Record<string, (page: Page) => Promise<Sharp | null>>> = {
  report: async (page) => {
    const all = await page.screenshot({ fullPage: true });
    const top = (await page.locator("h2", { hasText: "Evaluation" }).boundingBox())?.y ?? 0;
    return sharp(all).extract({ left: 0, top: Math.round(top) - 12, width: 1000, height: 980 });
  },
  decoded: async (page) => {
    const heading = page.locator("h2", { hasText: "What the predictor expects" });
    const part = page.locator("section", { has: heading }).locator(".picture svg").first();
    return (await part.count()) === 0 ? null : sharp(await part.screenshot());
  },
};

if (chromiumPath === undefined) throw new Error(noChromium);
const [, , run = "runs/quickstart", only] = argv;
const folder = mkdtempSync(join(tmpdir(), "ijepa-picture-"));
const browser = await chromium.launch({ executablePath: chromiumPath, args: chromiumArguments });
try {
  const reported = await reportRuns({ runs: [run], out: join(folder, "report.html"), root: ".", images: 200 });
  if (!reported.ok) throw new Error(reported.diagnostics.map(({ what }) => what).join("\n"));
  const page = await browser.newPage({ viewport: { width: 1000, height: 1200 } });
  await page.goto(pathToFileURL(reported.file).href);
  for (const [name, take] of Object.entries(pictures)) {
    const taken = only === undefined || only === name ? await take(page) : null;
    if (taken === null) continue;
    const picture = fileURLToPath(new URL(`../docs/images/${name}.png`, import.meta.url));
    await taken.png({ palette: true, quality: 70, effort: 10 }).toFile(picture);
    console.log(`wrote docs/images/${name}.png: ${Math.round(statSync(picture).size / 1024)} KiB`);
  }
} finally {
  await browser.close();
  rmSync(folder, { recursive: true });
}
