/** The runs below a folder as they are now. Each log is read once, and after that only what has come since. */
import { stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import type { Problem } from "../../compiler/diagnostics/diagnostic";
import { lockOwner } from "../../runtime/loop/lock";
import { runFiles } from "../../runtime/loop/run-folder";
import { LogTail } from "../../runtime/report/log-tail";
import { LogEvents } from "../report/log-events";
import { findRuns, type ReadRun, readExperiment, runOf } from "../report/runs";

/** A run by the name that its page has: its folder as seen from the one that is served, with slashes. */
export interface NamedRun {
  readonly name: string;
  readonly read: ReadRun;
}

interface Followed {
  readonly folder: string;
  tail: LogTail;
  log: LogEvents;
}

export class LiveRuns {
  readonly #followed = new Map<string, Followed>();

  constructor(readonly folder: string) {}

  /** Runs may come and go. */
  #folders(): ReadonlyMap<string, string> {
    return new Map(
      findRuns(this.folder).map((run) => [relative(this.folder, run).split(sep).join("/") || ".", run] as const),
    );
  }

  async all(): Promise<readonly NamedRun[]> {
    const found: NamedRun[] = [];
    for (const name of this.#folders().keys()) {
      const read = await this.one(name);
      if (read !== null) found.push({ name, read });
    }
    return found;
  }

  /** Null where there is no run of this name. A name is looked up and never a part of a path. */
  async one(name: string): Promise<ReadRun | null> {
    const folder = this.#folders().get(name);
    if (folder === undefined) {
      this.#followed.delete(name);
      return null;
    }
    const read = readExperiment(folder);
    if ("problem" in read) return { ok: false, problem: read.problem };
    return runOf({ folder, experiment: read.experiment, log: await this.#logOf(name, folder) });
  }

  async #logOf(name: string, folder: string): Promise<LogEvents> {
    const followed = this.#followed.get(name) ?? { folder, tail: tailOf(folder), log: new LogEvents() };
    this.#followed.set(name, followed);
    for (;;) {
      const { lines, isNew, hasMore } = await followed.tail.read();
      if (isNew) followed.log = new LogEvents();
      for (const line of lines) followed.log.take(line);
      if (!hasMore) return followed.log;
    }
  }

  /** Differs whenever what a page shows may differ: of one run, or of all where there is no name. */
  async version(name: string | null): Promise<string> {
    const folders = this.#folders();
    const asked = name === null ? [...folders.values()] : [folders.get(name)].filter((folder) => folder !== undefined);
    const signs = await Promise.all(asked.map(signOf));
    return [...(name === null ? folders.keys() : []), ...signs].join("\n");
  }
}

const tailOf = (folder: string): LogTail => new LogTail(join(folder, runFiles.jsonl));

async function signOf(folder: string): Promise<string> {
  const isRunning = lockOwner(folder) !== null;
  try {
    const { size, mtimeMs } = await stat(join(folder, runFiles.jsonl));
    return `${size} ${mtimeMs} ${isRunning}`;
  } catch {
    return `nothing ${isRunning}`;
  }
}

/** What a page says in the place of a run that cannot be shown. */
export function whyNot({ what, found, hint }: Problem): string {
  return [what, found, hint].filter((part) => typeof part === "string" && part !== "").join(". ");
}
