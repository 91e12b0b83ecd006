/** A log that grows while it is read: what has come since the last look, a part at a time. */
import { open } from "node:fs/promises";
import { StringDecoder } from "node:string_decoder";
import { hasCode } from "../exceptions";

/** Read at once, at most. */
const partBytes = 2 ** 22;

/** No line of a log is so long; what is longer is dropped. In UTF-16 units. */
const longestLine = 2 ** 26;

export interface TailPart {
  /** Whole lines, without their ends. */
  readonly lines: readonly string[];
  /** The file is shorter than what was read of it: it was written anew, and these are its first lines. */
  readonly isNew: boolean;
  /** There is more to read at once. */
  readonly hasMore: boolean;
}

export class LogTail {
  #offset = 0;
  #rest = "";
  #decoder = new StringDecoder("utf8");

  constructor(private readonly path: string) {}

  /** A line that has no end yet waits for it. A file that is not there has no lines. Throws what the system says. */
  async read(): Promise<TailPart> {
    const file = await open(this.path, "r").catch((error: unknown) => {
      if (hasCode(error, "ENOENT")) return null;
      throw error;
    });
    if (file === null) return { lines: [], isNew: false, hasMore: false };
    try {
      const { size } = await file.stat();
      const isNew = size < this.#offset;
      if (isNew) {
        this.#offset = 0;
        this.#rest = "";
        this.#decoder = new StringDecoder("utf8");
      }
      const part = Buffer.alloc(Math.min(partBytes, size - this.#offset));
      const { bytesRead } = await file.read(part, 0, part.length, this.#offset);
      this.#offset += bytesRead;
      const lines = (this.#rest + this.#decoder.write(part.subarray(0, bytesRead))).split("\n");
      this.#rest = (lines.pop() ?? "").slice(0, longestLine);
      return { lines, isNew, hasMore: bytesRead > 0 && this.#offset < size };
    } finally {
      await file.close();
    }
  }
}
