/** Compares generated/ with what the compiler would write now, and says why a file differs. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createTwoFilesPatch } from "diff";
import type { Compiled } from "../compile";
import { readHeader } from "../emit/header";
import { type FileState, fileState } from "./edits";
import { type Manifest, readManifest, withPlainEnds } from "./manifest";

export type Verdict =
  | "up to date"
  | "missing"
  | "edited by hand"
  | "merge conflict"
  | "spec changed"
  | "generator changed";

export interface FileVerdict {
  /** Path from where the command runs. */
  readonly file: string;
  readonly verdict: Verdict;
  /** The first line of the file that would be another; null where there is none, or no file. */
  readonly line: number | null;
  /** Unified diff from what is there to what would be written; empty where there is nothing to compare. */
  readonly patch: string;
}

function verdictOf(was: string, now: string, state: FileState, specIsSame: boolean): Verdict {
  if (was === now) return "up to date";
  if (state === "conflict") return "merge conflict";
  if (state === "edited") return "edited by hand";
  return specIsSame ? "generator changed" : "spec changed";
}

function specIsSame(text: string, manifest: Manifest | null, specHash: string): boolean {
  const written = manifest?.spec ?? readHeader(text)?.spec;
  return written !== undefined && specHash.startsWith(written);
}

function firstDifference(was: string, now: string): number | null {
  if (was === now) return null;
  const lines = now.split("\n");
  // Where the file only lacks its end, the place is below its last line.
  const at = was.split("\n").findIndex((line, i) => line !== lines[i]);
  return at < 0 ? was.split("\n").length : at + 1;
}

/** The verdict on every committed file of a trainer; the bundle is not committed. */
export function verdicts(out: string, compiled: Compiled): readonly FileVerdict[] {
  const folder = join(out, compiled.plan.experiment.name);
  const manifest = readManifest(folder);
  return compiled.files.map(({ name, text }) => {
    const file = join(folder, name);
    if (!existsSync(file)) return { file, verdict: "missing", line: null, patch: "" };
    const was = withPlainEnds(readFileSync(file, "utf8"));
    const isSameSpec = specIsSame(was, manifest, compiled.plan.experiment.specHash);
    const verdict = verdictOf(was, text, fileState(name, was, manifest), isSameSpec);
    const patch = was === text ? "" : createTwoFilesPatch(file, file, was, text, "as it is", "as it would be");
    return { file, verdict, line: firstDifference(was, text), patch };
  });
}
