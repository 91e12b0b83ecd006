/** The PJRT plugins for processors that are here: tests of engine xla run on them, or are left out with a sentence. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { allPlugins, PLUGIN_VARIABLE } from "../../runtime/engines/xla/plugin/find";

const named = process.env[PLUGIN_VARIABLE];
const found = named ? [named] : allPlugins("cpu");
if (found.length === 0) {
  console.warn(
    "No PJRT plugin for processors here: tests of engine xla are left out. " +
      "`node scripts/pjrt-cpu.mjs` fetches one (Linux on x86-64, 63 MB).",
  );
}

export interface TestPlugin {
  /** The last folder and the file. */
  readonly name: string;
  readonly path: string;
}

/** All of them, the one that a trainer would take first. A variable names one for all tests. */
export const plugins: readonly TestPlugin[] = found.map((path) => ({
  path,
  name: join(basename(dirname(path)), basename(path)),
}));

/** The one that a trainer would take; a test that asks for it is skipped where there is none. */
export const plugin: TestPlugin = plugins[0] ?? { name: "none", path: "none" };

export const hasPlugin = plugins.length > 0;

/** Compiled programs go to a folder of this test, not to that of the person who runs it. */
export function useOwnCache(): { readonly folder: string; readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "ijepa-xla-"));
  process.env.IJEPA_XLA_CACHE = folder;
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
