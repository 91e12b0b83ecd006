/** How a command says what is wrong: for people, or for people and as annotations of a GitHub workflow. */
import { Option } from "commander";

export type ProblemFormat = "text" | "github";

let inJson = false;

/** Whether the command line asks for JSON: then failures are JSON too, those of the command line itself included. */
export function listenForJson(args: readonly string[]): void {
  const [own] = args.includes("--") ? [args.slice(0, args.indexOf("--"))] : [args];
  inJson = own.some(
    (word, i) => word === "--json" || word === "--format=json" || (word === "--format" && own[i + 1] === "json"),
  );
}

export const answersInJson = (): boolean => inJson;

/** In a job of GitHub Actions the annotations come by themselves; `--format text` keeps them away. */
export function defaultFormat(): ProblemFormat {
  return process.env.GITHUB_ACTIONS === "true" ? "github" : "text";
}

/** `--format`; the commands that can also write JSON add it to the choices. */
export function formatOption(...more: readonly string[]): Option {
  return new Option("--format <how>", "text, or github: also as annotations; by itself in a GitHub workflow").choices([
    "text",
    "github",
    ...more,
  ]);
}
