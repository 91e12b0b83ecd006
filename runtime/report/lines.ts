/** Lines of files that may be longer than the longest string (512 MB), a part at a time. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { StringDecoder } from "node:string_decoder";
import { writeAtomically } from "../checkpoint/atomic";

/** No line of a log is so long; one that is ends here, and is no event. In UTF-16 units. */
const longestLine = 2 ** 26;

/** What is written at once, at least, in UTF-16 units. */
const partLength = 2 ** 20;

/** The lines of a text file; the last one is empty where the file ends as it should. Throws what the system says. */
export function* fileLines(path: string, chunkBytes = 2 ** 20): Generator<string, void, void> {
  const file = openSync(path, "r");
  try {
    const chunk = Buffer.alloc(chunkBytes);
    const decoder = new StringDecoder("utf8");
    let rest = "";
    for (let read = readSync(file, chunk); read > 0; read = readSync(file, chunk)) {
      const lines = (rest + decoder.write(chunk.subarray(0, read))).split("\n");
      rest = (lines.pop() ?? "").slice(0, longestLine);
      yield* lines;
    }
    yield rest + decoder.end();
  } finally {
    closeSync(file);
  }
}

/** Writes lines, each with its end, in the place of what is there; whole or not at all. */
export async function writeLines(path: string, lines: Iterable<string>): Promise<void> {
  async function* parts(): AsyncGenerator<Buffer> {
    let part = "";
    for (const line of lines) {
      part += `${line}\n`;
      if (part.length < partLength) continue;
      yield Buffer.from(part);
      part = "";
    }
    yield Buffer.from(part);
  }
  await writeAtomically(path, parts(), 0);
}

/** Whether a file ends in the middle of a line. */
export function endsInLine(path: string): boolean {
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    const last = Buffer.alloc(1);
    return size > 0 && readSync(file, last, 0, 1, size - 1) === 1 && last.toString() !== "\n";
  } finally {
    closeSync(file);
  }
}
