/** The errors of a trainer for the page of reference, read from the functions of runtime/errors/ and their comments. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type FunctionDeclaration, Project, SyntaxKind } from "ts-morph";

export interface TrainerError {
  readonly code: string;
  /** When it occurs: the comment above its function. */
  readonly meaning: string;
}

const errorsFolder = join(fileURLToPath(new URL("..", import.meta.url)), "runtime", "errors");

/** Ascending by code. Throws where a function has no comment, or two have one code. */
export function trainerErrors(folder: string = errorsFolder): readonly TrainerError[] {
  const files = new Project({
    skipAddingFilesFromTsConfig: true,
    skipFileDependencyResolution: true,
  }).addSourceFilesAtPaths(join(folder, "*.ts"));
  const functions = files.flatMap((file) => file.getFunctions()).filter((declared) => declared.isExported());
  const found = functions.map((declared) => ({ code: codeOf(declared), meaning: meaningOf(declared) }));
  const codes = found.map(({ code }) => code);
  const twice = codes.find((code, i) => codes.indexOf(code) !== i);
  if (twice !== undefined) throw new Error(`internal: two errors of a trainer have the code ${twice}`);
  return found.sort((a, b) => (a.code < b.code ? -1 : 1));
}

/** The first argument of its `new UserError(…)`. */
function codeOf(declared: FunctionDeclaration): string {
  const made = declared.getDescendantsOfKind(SyntaxKind.NewExpression);
  const codes = made.flatMap(
    (each) => each.getArguments()[0]?.asKind(SyntaxKind.StringLiteral)?.getLiteralValue() ?? [],
  );
  const [code, ...others] = codes;
  if (code === undefined || others.length > 0) {
    throw new Error(`internal: ${declared.getName()} of runtime/errors makes not exactly one UserError`);
  }
  return code;
}

function meaningOf(declared: FunctionDeclaration): string {
  const meaning = declared
    .getJsDocs()
    .map((doc) => doc.getDescription().trim().replaceAll(/\s+/g, " "))
    .join(" ");
  if (meaning === "") {
    throw new Error(`internal: no comment above ${declared.getName()} of runtime/errors says when its error occurs`);
  }
  return meaning;
}
