/** Parts of pages that scripts make: what stands between `<!-- name:begin -->` and `<!-- name:end -->`. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The root of the project. */
export const root = fileURLToPath(new URL("..", import.meta.url));

/** A page with its made parts as they should be; `file` is relative to the root. */
export function pageWith(file: string, parts: Readonly<Record<string, string>>): string {
  return Object.entries(parts).reduce(
    (page, [name, text]) => withRegion({ page, file, name, text }),
    readFileSync(join(root, file), "utf8"),
  );
}

function withRegion(part: {
  readonly page: string;
  readonly file: string;
  readonly name: string;
  readonly text: string;
}): string {
  const { page, file, name, text } = part;
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${file} lacks ${begin} … ${end}`);
  return `${page.slice(0, from + begin.length)}\n\n${text}\n\n${page.slice(to)}`;
}

/** A table in Markdown; columns after the first are numbers. */
export function markdownTable(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [heads, heads.map((_, i) => (i === 0 ? "---" : "---:")), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
