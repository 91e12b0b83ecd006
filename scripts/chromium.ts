/** A Chromium of the system, for pictures and tests of pages; playwright-core brings none. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

const names = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/** Undefined where there is none on PATH. */
export const chromiumPath: string | undefined = (process.env.PATH ?? "")
  .split(delimiter)
  .flatMap((folder) => names.map((name) => join(folder, name)))
  .find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/** Its sandbox needs rights that containers do not give. */
export const chromiumArguments = ["--no-sandbox"];

export const noChromium = "there is no Chromium on PATH (Debian: apt-get install chromium)";
