/** Whole messages over a socket: four bytes of length, the lowest first, and then the message. */
import type { Socket } from "node:net";

export interface Messages {
  send(message: Uint8Array): void;
  /** The next one that the other side has sent. Rejects with `lost` where the connection has ended. */
  next(): Promise<Uint8Array>;
  isClosed(): boolean;
  /** Sends what is still to be sent. */
  end(): void;
  destroy(): void;
}

interface Waiting {
  readonly resolve: (message: Uint8Array) => void;
  readonly reject: (error: unknown) => void;
}

/** Features of an evaluation are the longest; what is longer is none of a rank. */
const mostBytes = 2 ** 31;
/** Whoever is not known yet says who it is, and no more. */
const mostBytesOfFirst = 2 ** 16;

export function messagesOf(socket: Socket, lost: () => Error): Messages {
  const arrived: Uint8Array[] = [];
  const waiting: Waiting[] = [];
  let chunks: Buffer[] = [];
  let length = 0;
  let most = mostBytesOfFirst;
  const take = (message: Uint8Array): void => {
    const first = waiting.shift();
    if (first === undefined) arrived.push(message);
    else first.resolve(message);
  };
  socket.setNoDelay(true);
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    length += chunk.length;
    for (
      let wanted = wantedOf(chunks, length);
      wanted !== null && length >= wanted;
      wanted = wantedOf(chunks, length)
    ) {
      const all = Buffer.concat(chunks);
      take(Uint8Array.from(all.subarray(4, wanted)));
      chunks = [all.subarray(wanted)];
      length = all.length - wanted;
      most = mostBytes;
    }
    if ((wantedOf(chunks, length) ?? 0) > most) socket.destroy();
  });
  socket.on("error", () => socket.destroy());
  socket.on("close", () => {
    for (const { reject } of waiting.splice(0)) reject(lost());
  });
  return {
    send: (message) => {
      const head = Buffer.alloc(4);
      head.writeUInt32LE(message.length);
      socket.write(head);
      socket.write(message);
    },
    next: () => {
      const message = arrived.shift();
      if (message !== undefined) return Promise.resolve(message);
      if (socket.destroyed) return Promise.reject(lost());
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    },
    isClosed: () => socket.destroyed,
    end: () => socket.end(),
    destroy: () => socket.destroy(),
  };
}

/** Bytes of the message that is arriving, with its length; null while that is not there as a whole. */
function wantedOf(chunks: readonly Buffer[], length: number): number | null {
  if (length < 4) return null;
  const [first = Buffer.alloc(0)] = chunks;
  const head = first.length >= 4 ? first : Buffer.concat(chunks);
  return 4 + head.readUInt32LE(0);
}

/** Several messages as one. */
export function packed(messages: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(
    messages.flatMap((message) => {
      const head = Buffer.alloc(4);
      head.writeUInt32LE(message.length);
      return [head, message];
    }),
  );
}

export function unpacked(bytes: Uint8Array): readonly Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const messages: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 4 + view.getUint32(at, true);
    messages.push(bytes.slice(at + 4, end));
    at = end;
  }
  return messages;
}
