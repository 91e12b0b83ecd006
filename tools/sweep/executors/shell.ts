/** Words for a POSIX shell, where one can not be avoided. */

/** One word that the shell reads as exactly this text. Throws for a NUL, which no program could be given. */
export function shellWord(text: string): string {
  if (text.includes("\0")) throw new Error(`internal: a NUL in a word for the shell: ${JSON.stringify(text)}`);
  return /^[\w@%+:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

export const shellWords = (words: readonly string[]): string => words.map(shellWord).join(" ");
