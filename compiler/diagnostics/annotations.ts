/** Problems as GitHub shows them beside the lines of a pull request: `::error file=…,line=…,col=…,title=…::message`. */
import { relative, resolve, sep } from "node:path";
import type { Diagnostic, Severity } from "./diagnostic";
import { harmless } from "./problem-text";

export interface Annotation {
  /** As the user named it; null for a problem of the command line. */
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
  /** Left out, an error. */
  readonly severity?: Severity;
  /** The heading, a code of the catalogue or a few words. */
  readonly title: string;
  /** May have several lines. */
  readonly message: string;
}

/** One annotation and its line end. GitHub reads them from whatever a step of a job prints. */
export function annotationLine({ file, line, column, severity = "error", title, message }: Annotation): string {
  const properties: readonly (readonly [name: string, value: string | number | null])[] = [
    ["file", file === null ? null : repositoryPath(file)],
    ["line", line],
    ["col", column],
    ["title", title],
  ];
  const given = properties.flatMap(([name, value]) => (value === null ? [] : [`${name}=${property(String(value))}`]));
  return `::${severity} ${given.join(",")}::${escaped(message)}\n`;
}

/** One annotation per problem, in their order. */
export function annotationsOf(diagnostics: readonly Diagnostic[]): string {
  return diagnostics
    .map(harmless)
    .map(({ file, place, code, severity, path, what, found, want, hint }) =>
      annotationLine({
        severity,
        file,
        line: place?.line ?? null,
        column: place?.column ?? null,
        title: code,
        message: [
          path === null || path === "" ? what : `${path}: ${what}`,
          ...(found === null ? [] : [`found ${found}`]),
          ...(want === null ? [] : [`want ${want}`]),
          ...(hint === null ? [] : [hint]),
        ].join("\n"),
      }),
    )
    .join("");
}

/** GitHub finds a file by its path from the top of the repository, wherever the command ran. */
function repositoryPath(file: string): string {
  const path = relative(process.env.GITHUB_WORKSPACE ?? ".", resolve(file));
  return (path.startsWith("..") ? file : path).split(sep).join("/");
}

function escaped(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

/** A colon or a comma would end the property. */
function property(text: string): string {
  return escaped(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
