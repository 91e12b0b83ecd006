/** Rank 0 has the terminal; of the others errors are shown, with the rank before each line. */
import { Writable } from "node:stream";

interface Streams {
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
}

export function streamsOfRank(rank: number, streams: Streams): Streams {
  if (rank === 0) return streams;
  return {
    stdout: new Writable({ write: (_chunk, _encoding, done) => done() }),
    stderr: linePrefixer(`[rank ${rank}] `, streams.stderr),
  };
}

/** Lines go on whole, so that those of two ranks do not mix. */
function linePrefixer(prefix: string, to: NodeJS.WritableStream): NodeJS.WritableStream {
  let rest = "";
  return new Writable({
    decodeStrings: false,
    write: (chunk, _encoding, done) => {
      const lines = (rest + String(chunk)).split("\n");
      rest = lines.pop() ?? "";
      if (lines.length > 0) to.write(lines.map((line) => `${prefix}${line}\n`).join(""));
      done();
    },
    final: (done) => {
      if (rest !== "") to.write(`${prefix}${rest}\n`);
      done();
    },
  });
}
