/** The bytes of an archive for yauzl. Its own reader hands positions of a damaged directory to Node, which throws where nobody can catch it. */
import { closeSync, fstatSync, openSync, read, readSync } from "node:fs";
import { Readable } from "node:stream";
import { fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from "yauzl";

const partBytes = 2 ** 20;

class FileReader extends RandomAccessReader {
  constructor(
    private readonly file: number,
    private readonly size: number,
  ) {
    super();
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    // yauzl also looks at how many bytes there were; its types do not say so.
    done: (error: Error | null, bytesRead?: number) => void,
  ): void {
    if (!this.holds(position, position + length)) done(beyond(), 0);
    else read(this.file, buffer, offset, length, position, (error, bytesRead) => done(error, bytesRead));
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return Readable.from(this.parts(start, end), { objectMode: false });
  }

  /** Node's own stream of a file would close it with its last part. */
  private async *parts(start: number, end: number): AsyncGenerator<Buffer> {
    if (!this.holds(start, end)) throw beyond();
    for (let at = start; at < end; ) {
      const part = Buffer.allocUnsafe(Math.min(partBytes, end - at));
      const bytes = readSync(this.file, part, 0, part.length, at);
      if (bytes === 0) throw beyond();
      yield part.subarray(0, bytes);
      at += bytes;
    }
  }

  override close(done: (error: Error | null) => void): void {
    closeSync(this.file);
    done(null);
  }

  private holds(start: number, end: number): boolean {
    return Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start <= end && end <= this.size;
  }
}

const beyond = (): Error => new Error("it names a place that the file does not have");

/** Throws what the system says, or what is wrong with the directory. */
export async function openZipFile(path: string): Promise<ZipFile> {
  const file = openSync(path, "r");
  const { size } = fstatSync(file);
  const options = { lazyEntries: true, autoClose: false, strictFileNames: true };
  try {
    return await fromRandomAccessReaderPromise(new FileReader(file, size), size, options);
  } catch (error) {
    closeSync(file);
    throw error;
  }
}
