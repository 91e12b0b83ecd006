/** Where lines break in generated code. */

/** Widest line of code, without the column of shapes. */
const WIDTH = 116;

/** Each line two columns further in, also those within a text of several; an empty one stays empty. */
export const indent = (texts: readonly string[]): string =>
  texts
    .flatMap((text) => text.split("\n"))
    .map((line) => (line === "" ? "" : `  ${line}`))
    .join("\n");

/** `open a, b close` on one line, or one item a line where that is too wide. `indent` is that of the first line. */
export function listed(open: string, items: readonly string[], close: string, indent: string): string {
  const line = `${open}${items.join(", ")}${close}`;
  if (indent.length + line.length <= WIDTH && !line.includes("\n")) return line;
  return `${open.trimEnd()}\n${items.map((item) => `${indent}  ${item},`).join("\n")}\n${indent}${close.trimStart()}`;
}

/** The type of a record: on one line, or one field a line where a head would be too wide with it. */
export function fields(of: readonly string[]): string {
  const line = `{ ${of.join("; ")} }`;
  return line.length + "): ".length + " {".length <= WIDTH ? line : `{\n${indent(of.map((field) => `${field};`))}\n}`;
}

/** Code, or a record of code. */
export interface Branch {
  readonly kind: "branch";
  readonly entries: Map<string, Branch | string>;
}

export type Layout = Branch | string;

/** A record on one line, or one entry a line. `taken` columns stand before it on its line. */
export function record(layout: Layout, indent: string, taken: number): string {
  if (typeof layout === "string") return layout;
  const flat = (branch: Branch): string =>
    `{ ${[...branch.entries].map(([name, child]) => entry(name, typeof child === "string" ? child : flat(child))).join(", ")} }`;
  const line = flat(layout);
  if (taken + line.length <= WIDTH) return line;
  const inner = `${indent}  `;
  const lines = [...layout.entries].map(
    ([name, child]) => `${inner}${entry(name, record(child, inner, inner.length + name.length + 3))},`,
  );
  return `{\n${lines.join("\n")}\n${indent}}`;
}

/** `name: code`, or the name alone where both are the same. */
function entry(name: string, code: string): string {
  return name === code ? name : `${name}: ${code}`;
}

/** A sentence list as a block comment, broken at WIDTH. */
export function docComment(text: string): string {
  const line = `/** ${text} */`;
  if (line.length <= WIDTH) return line;
  const lines: string[] = [];
  let current = "";
  // A shape stays on one line.
  for (const word of text.split(/ (?![^[\]]*\])/)) {
    if (current !== "" && current.length + word.length + 4 > WIDTH) {
      lines.push(current);
      current = word;
    } else current = current === "" ? word : `${current} ${word}`;
  }
  return `/**\n${[...lines, current].map((each) => ` * ${each}`).join("\n")}\n */`;
}
