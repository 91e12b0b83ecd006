/** Rows and paragraphs that fit a terminal. */

/** Cells in columns; the last is not filled up. */
export function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  return rows.map((row) =>
    row
      .map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(width(i))))
      .join("  ")
      .trimEnd(),
  );
}

/** What a terminal has at least. */
export const COLUMNS = 80;
export const INDENT = 2;

/** Rows of a name, what it was and is, and more; those that are too wide for a terminal take a line for each side. */
export function rowsOfChange(
  rows: readonly (readonly [name: string, a: string, b: string, more: string])[],
): readonly string[] {
  const isWide = ([name, a, b, more]: (typeof rows)[number]): boolean =>
    INDENT + widest + `${a} → ${b}  ${more}`.length + 2 > COLUMNS || name.length > widest;
  const widest = Math.min(36, Math.max(0, ...rows.map(([name]) => name.length)));
  const narrow = columns(
    rows.filter((row) => !isWide(row)).map(([name, a, b, more]) => [name.padEnd(widest), `${a} → ${b}`, more]),
  );
  const next = narrow.values();
  return rows.flatMap((row) => {
    const [name, a, b, more] = row;
    return isWide(row) ? [`${name}  ${more}`.trimEnd(), `    ${a}`, `  → ${b}`] : [next.next().value ?? ""];
  });
}

/** Words of a text on lines of a width. */
export function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(/ (?!%)/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
