/** What the compiler tells a person: one record per problem, for the terminal and for machines alike. */

export type Severity = "error" | "warning";

/** One problem in words, not yet tied to a place. */
export interface Problem {
  /** E (errors) or W (warnings) and three digits, see the catalogue. */
  readonly code: string;
  /** A warning stops nothing. */
  readonly severity: Severity;
  /** What is wrong. */
  readonly what: string;
  readonly found: string | null;
  /** What would be right. */
  readonly want: string | null;
  /** What to do, or what was probably meant. */
  readonly hint: string | null;
}

/** A stretch of one line of a file. Lines and columns count from 1, columns in UTF-16 units as editors do. */
export interface Place {
  readonly line: number;
  readonly column: number;
  readonly length: number;
  /** The line itself. */
  readonly lineText: string;
}

export interface Diagnostic extends Problem {
  /** The file as the user named it; null for a problem of the command line. */
  readonly file: string | null;
  readonly place: Place | null;
  /** JSON path such as `masking.targets.scale[0]`; null where there is none. */
  readonly path: string | null;
}

/** `file:line:column code path: what; found …; want …. Hint`, all on one line. */
export function oneLine(diagnostic: Diagnostic): string {
  const { file, place, code, path, what, found, want, hint } = diagnostic;
  const where = file === null ? "" : `${file}${place === null ? "" : `:${place.line}:${place.column}`} `;
  const facts = [what, found && `found ${found}`, want && `want ${want}`].filter(Boolean).join("; ");
  return `${where}${code} ${path === null ? "" : `${path || "(root)"}: `}${facts}${hint === null ? "" : `. ${hint}`}`;
}

/** A problem of a whole file, or of none. */
export function unplaced(file: string | null, problem: Problem): Diagnostic {
  return { ...problem, file, place: null, path: null };
}
