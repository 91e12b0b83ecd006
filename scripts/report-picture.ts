/**
 * Takes docs/images/report.png: a part of the report of a run, as a browser shows it. `npx tsx scripts/report-picture.ts
 * runs/quickstart` takes it anew; it needs a Chromium.
 */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { argv } from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import sharp from "sharp";
import { reportRuns } from "../tools/report/report";
import { chromiumArguments, chromiumPath, noChromium } from "./chromium";

const picture = fileURLToPath(new URL("../docs/images/report.png", import.meta.url));
if (chromiumPath === undefined) throw new Error(noChromium);
const folder = mkdtempSync(join(tmpdir(), "ijepa-picture-"));
const browser = await chromium.launch({ executablePath: chromiumPath, args: chromiumArguments });
try {
  const reported = await reportRuns({
    runs: [argv[2] ?? "runs/quickstart"],
    out: join(folder, "report.html"),
    root: ".",
    images: 200,
  });
  if (!reported.ok) throw new Error(reported.diagnostics.map(({ what }) => what).join("\n"));
  const page = await browser.newPage({ viewport: { width: 1000, height: 1200 } });
  await page.goto(pathToFileURL(reported.file).href);
  const all = await page.screenshot({ fullPage: true });
  const top = (await page.locator("h2", { hasText: "Evaluation" }).boundingBox())?.y ?? 0;
  await sharp(all)
    .extract({ left: 0, top: Math.round(top) - 12, width: 1000, height: 980 })
    .png({ palette: true, quality: 70, effort: 10 })
    .toFile(picture);
  console.log(`wrote docs/images/report.png: ${Math.round(statSync(picture).size / 1024)} KiB`);
} finally {
  await browser.close();
  rmSync(folder, { recursive: true });
}
