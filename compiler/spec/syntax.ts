/** What is wrong with the syntax of a text, in words for people. */
import { type ParseError, printParseErrorCode } from "jsonc-parser";

export function syntaxSaid(
  error: ParseError,
  text: string,
): { what: string; found?: string; want?: string; hint?: string } {
  const found = text.slice(error.offset, error.offset + Math.min(error.length, 40));
  const before = text.slice(0, error.offset).trimEnd();
  if (before.endsWith(",") && (found === "}" || found === "]")) {
    return { what: "a comma before the closing bracket", hint: "Remove the comma." };
  }
  const name = printParseErrorCode(error.error);
  if (name === "CommaExpected" && found === "}") return { ...syntaxSentences.CloseBracketExpected, found: "`}`" };
  if (name === "CommaExpected" && found === "]") return { ...syntaxSentences.CloseBraceExpected, found: "`]`" };
  const atEnd = error.offset >= text.trimEnd().length;
  const read = atEnd ? "the end of the file" : found === "" ? undefined : `\`${found}\``;
  return { ...syntaxSentences[name], ...(read !== undefined && { found: read }) };
}

/** By the parser's codes; spelt out, since its own names are for programmers. */
const syntaxSentences: {
  readonly [name in ReturnType<typeof printParseErrorCode>]: { readonly what: string; readonly want?: string };
} = {
  InvalidSymbol: { what: "is not JSON", want: "a text in double quotes, a number, true, false or null" },
  InvalidNumberFormat: { what: "is not a number of JSON", want: "a number such as 0.15 or 1e-6" },
  PropertyNameExpected: { what: "a key is missing", want: "a key in double quotes" },
  ValueExpected: { what: "a value is missing", want: "a value after the key or the comma" },
  ColonExpected: { what: "a colon is missing", want: "a colon between key and value" },
  CommaExpected: { what: "a comma is missing", want: "a comma between two entries" },
  CloseBraceExpected: { what: "an object is not closed", want: "`}`" },
  CloseBracketExpected: { what: "a list is not closed", want: "`]`" },
  EndOfFileExpected: { what: "something follows the end of the spec", want: "the end of the file" },
  InvalidCommentToken: { what: "a comment is not allowed here" },
  UnexpectedEndOfComment: { what: "a comment is not closed", want: "`*/`" },
  UnexpectedEndOfString: { what: "a text is not closed", want: "a double quote on the same line" },
  UnexpectedEndOfNumber: { what: "a number is cut short", want: "a number such as 0.15 or 1e-6" },
  InvalidUnicode: { what: "is not a Unicode escape", want: "`\\u` and four hexadecimal digits" },
  InvalidEscapeCharacter: { what: "is not an escape of JSON", want: '`\\\\` for a backslash, `\\"` for a quote' },
  "<unknown ParseErrorCode>": { what: "is not JSON" },
  InvalidCharacter: { what: "a control character stands in a text", want: "an escape such as `\\n`" },
};
