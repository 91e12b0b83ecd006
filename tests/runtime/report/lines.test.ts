import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { endsInLine, fileLines, writeLines } from "../../../runtime/report/lines";

const file = (text: string): string => {
  const path = join(mkdtempSync(join(tmpdir(), "ijepa-lines-")), "log.jsonl");
  writeFileSync(path, text);
  return path;
};

test.each(["", "a", "a\n", "\n\na\n", "größe\n🙂🙂\nlast", "one line that is longer than a part\nand one more\n"])(
  "the lines of %j are those of its text, whatever the size of a part",
  (text) => {
    const path = file(text);
    for (const bytes of [1, 2, 3, 5, 1000]) expect([...fileLines(path, bytes)]).toEqual(text.split("\n"));
    expect(endsInLine(path)).toBe(text !== "" && !text.endsWith("\n"));
  },
);

test("lines can be taken from the file that they are written to", async () => {
  const path = file("a\nb\nc");
  await writeLines(
    path,
    [...fileLines(path)].filter((line) => line !== "b"),
  );
  expect(readFileSync(path, "utf8")).toBe("a\nc\n");
});
