/** What can stand on either side of a diff: a spec, a generated folder, a run, or a spec in a git revision. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Compiled, compile } from "../../compiler/compile";
import { errors } from "../../compiler/diagnostics/catalogue";
import { type Diagnostic, type Problem, unplaced } from "../../compiler/diagnostics/diagnostic";
import type { GeneratedFile } from "../../compiler/emit/code";
import type { PassFact } from "../../compiler/optimize/pass-facts";
import { isObject, type JsonObject, type JsonValue } from "../../compiler/spec/json";
import { type LoadedSpec, loadSpec, specFromText } from "../../compiler/spec/load";
import { parseSpec } from "../../compiler/spec/read";
import type { Spec } from "../../compiler/spec/spec";
import { type Facts, factsOf } from "../../compiler/step/facts";
import { constantsOf } from "./constants";
import { type Roles, rolesOf } from "./roles";

export interface Side {
  /** As the user named it. */
  readonly name: string;
  readonly kind: "spec" | "generated" | "run";
  /** Every field with its default; null where only constants are known. */
  readonly spec: JsonObject | null;
  /** Constants of the trainer, without the hash of its spec. */
  readonly constants: JsonObject;
  /** Null where the program is not known. */
  readonly facts: Facts | null;
  /** What each pass did; null where the program is not known. */
  readonly passes: readonly PassFact[] | null;
  /** Blocks that each function runs; empty where the program is not known. */
  readonly roles: Roles;
  /** Generated files; null for a run, which holds none. */
  readonly files: readonly GeneratedFile[] | null;
}

export type ReadSide =
  | { readonly ok: true; readonly side: Side }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** What is on disk comes first: `a:b` may be the name of a file. */
/** `settings` change what is a spec; a trainer and a run are what they are. */
export function readSide(name: string, settings: readonly string[] = []): ReadSide {
  if (statSync(name, { throwIfNoEntry: false })?.isDirectory() === true) return folderSide(name);
  const revision = existsSync(name) ? null : /^([^:]+):(.+)$/su.exec(name);
  if (revision === null) return specSide(name, loadSpec(name, { settings }));
  const [, rev = "", path = ""] = revision;
  const found = gitFile(rev, path);
  if ("problem" in found) return failed(name, found.problem);
  // The path alone names the experiment; errors name what the user wrote.
  const readBase = (file: string) => {
    const base = gitFile(rev, file);
    return "problem" in base
      ? ({ ok: false, diagnostics: [unplaced(file, base.problem)] } as const)
      : parseSpec({ text: base.text, file });
  };
  const loaded = specFromText({ text: found.text, file: path }, { settings, readBase });
  return specSide(
    name,
    loaded.ok
      ? loaded
      : { ok: false, diagnostics: loaded.diagnostics.map((diagnostic) => ({ ...diagnostic, file: name })) },
  );
}

function failed(name: string, problem: Problem): ReadSide {
  return { ok: false, diagnostics: [unplaced(name, problem)] };
}

/** Records of plain values, as JSON. */
function plain(value: object): JsonObject {
  const copy: JsonValue = JSON.parse(JSON.stringify(value));
  if (!isObject(copy)) throw new Error("internal: a spec or its constants are no record");
  return copy;
}

function withoutHash({ specHash: _, trainingHash: __, ...constants }: JsonObject): JsonObject {
  return constants;
}

function specSide(name: string, loaded: LoadedSpec): ReadSide {
  return loaded.ok ? { ok: true, side: sideOfSpec(name, loaded.spec, compile(loaded)) } : loaded;
}

/** A spec and the trainer that was compiled from it. */
export function sideOfSpec(name: string, spec: Spec, { plan, model, step, files }: Compiled): Side {
  return {
    name,
    kind: "spec",
    spec: plain(spec),
    constants: withoutHash(plain(plan.experiment)),
    facts: factsOf(step, plan),
    passes: model.passes,
    roles: rolesOf({ model }),
    files,
  };
}

/** What only a spec tells. */
const unknown = { spec: null, facts: null, passes: null, roles: {} } as const;

function folderSide(name: string): ReadSide {
  if (existsSync(join(name, "experiment.json"))) return runSide(name);
  if (!existsSync(join(name, "experiment.ts"))) return failed(name, errors.notComparable());
  const files = readdirSync(name)
    .filter((file) => /\.(ts|txt|md)$/.test(file))
    .sort()
    .map((file) => ({ name: file, text: readFileSync(join(name, file), "utf8") }));
  const experiment = files.find((file) => file.name === "experiment.ts");
  const constants = experiment === undefined ? null : constantsOf(experiment);
  if (constants === null) return failed(name, errors.noConstants({ file: "experiment.ts" }));
  const side: Side = { name, kind: "generated", ...unknown, constants: withoutHash(constants), files };
  return { ok: true, side };
}

function runSide(name: string): ReadSide {
  let constants: JsonValue = null;
  try {
    constants = JSON.parse(readFileSync(join(name, "experiment.json"), "utf8"));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause; // the system's refusal: the command line explains it
  }
  if (!isObject(constants)) return failed(name, errors.noConstants({ file: "experiment.json" }));
  const side: Side = { name, kind: "run", ...unknown, constants: withoutHash(constants), files: null };
  return { ok: true, side };
}

type GitFile = { readonly text: string } | { readonly problem: Problem };

/** Above any spec; git would print whatever it has. */
const MOST_BYTES = 1_000_000;

/** Without a shell, and never an option: no revision begins with a dash. */
function git(...args: readonly string[]): Buffer {
  return execFileSync("git", args, { stdio: ["ignore", "pipe", "pipe"], maxBuffer: MOST_BYTES });
}

function succeeds(...args: readonly string[]): boolean {
  try {
    git(...args);
    return true;
  } catch {
    return false;
  }
}

function gitFile(rev: string, path: string): GitFile {
  if (!succeeds("rev-parse", "--git-dir")) return { problem: errors.noRepository() };
  if (rev.startsWith("-") || /[\0\n]/.test(`${rev}${path}`) || !succeeds("rev-parse", "--verify", `${rev}^{tree}`)) {
    return { problem: errors.unknownRevision({ revision: rev }) };
  }
  const object = `${rev}:${path}`;
  let kind: string;
  try {
    kind = git("cat-file", "-t", object).toString().trim();
  } catch {
    return { problem: errors.notInRevision({ revision: rev, path }) };
  }
  if (kind !== "blob") return { problem: errors.fileIsFolder() };
  const bytes = Number(git("cat-file", "-s", object).toString());
  if (bytes > MOST_BYTES) return { problem: errors.tooLarge({ limit: MOST_BYTES }) };
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(git("show", object)) };
  } catch {
    return { problem: errors.notText() };
  }
}
