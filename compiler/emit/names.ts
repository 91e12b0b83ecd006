/** Strings of a spec on their way into generated files, escaped for the place they land in. */

/** A TypeScript string literal. */
export function literal(text: string): string {
  return JSON.stringify(text).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
}

/** Text inside a comment: one line, and nothing that ends the comment. */
export function comment(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").replaceAll("*/", "* /");
}

export const capital = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);
