/**
 * Small values by name that the processes of a run tell one another while none of them waits in a collective call: the ids
 * by which GPUs find each other, say. Rank 0 listens on a port of its host, and passes every value on to all. It is a
 * rendezvous: a few kilobytes at the start, and nothing of a step.
 */
import { createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { rankUnreachable } from "../errors";
import { messageOf } from "../exceptions";
import type { Communicator } from "./communicator";
import { connectTo, type Door, listenOn, newToken, ownHosts, sameToken } from "./sockets/door";

export interface KeyValues {
  put(key: string, value: Uint8Array): void;
  /** Undefined: it is not known here yet. */
  get(key: string): Uint8Array | undefined;
  /** Hears of all values, also of those that are there already. */
  listen(hear: (key: string, value: Uint8Array) => void): void;
  close(): void;
}

/** A value is a few kilobytes; a line beyond that is none of a rank. */
const MOST_CHARACTERS = 2 ** 26;

/** To be called by all ranks. Throws R213 where one does not reach rank 0. */
export async function openKeyValues(
  ranks: Pick<Communicator, "rank" | "size" | "broadcast">,
  hosts: readonly string[] = ownHosts(),
): Promise<KeyValues> {
  const values = new Values();
  if (ranks.rank === 0) {
    const { door, close } = await serve(values, hosts);
    await ranks.broadcast(new TextEncoder().encode(JSON.stringify(door)));
    return { ...values.parts, put: (key, value) => values.add(key, value), close };
  }
  // Rank 0 runs the same program.
  const door = JSON.parse(new TextDecoder().decode(await ranks.broadcast(new Uint8Array()))) as Door;
  const socket = await reach(door, ranks.rank);
  socket.write(`${door.token}\n`);
  linesOf(socket, (line) => {
    const { key, value } = entryOf(line);
    values.add(key, value);
  });
  return {
    ...values.parts,
    put: (key, value) => {
      values.add(key, value);
      socket.write(lineOf(key, value));
    },
    close: () => socket.destroy(),
  };
}

class Values {
  readonly #known = new Map<string, Uint8Array>();
  readonly #listeners: ((key: string, value: Uint8Array) => void)[] = [];

  readonly parts: Pick<KeyValues, "get" | "listen"> = {
    get: (key) => this.#known.get(key),
    listen: (hear) => {
      this.#listeners.push(hear);
      for (const [key, value] of this.#known) hear(key, value);
    },
  };

  /** The same value may come back to whoever has put it. */
  add(key: string, value: Uint8Array): void {
    this.#known.set(key, value);
    for (const hear of this.#listeners) hear(key, value);
  }
}

async function serve(values: Values, hosts: readonly string[]): Promise<{ readonly door: Door; close(): void }> {
  const token = newToken();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    socket.unref().on("error", () => socket.destroy());
    let isKnown = false;
    linesOf(socket, (line) => {
      if (isKnown) {
        const { key, value } = entryOf(line);
        values.add(key, value);
      } else if (sameToken(line, token)) {
        isKnown = true;
        sockets.add(socket.on("close", () => sockets.delete(socket)));
        values.parts.listen((key, value) => {
          if (!socket.destroyed) socket.write(lineOf(key, value));
        });
      } else socket.destroy();
    });
  });
  const port = await listenOn(server, 0);
  server.unref();
  return {
    door: { hosts, port, token },
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function reach({ hosts, port }: Door, rank: number): Promise<Socket> {
  try {
    return (await connectTo({ hosts, port })).unref();
  } catch (error) {
    throw rankUnreachable({ rank, hosts, port, why: messageOf(error) });
  }
}

function linesOf(socket: Socket, take: (line: string) => void): void {
  let read = 0;
  createInterface({ input: socket, crlfDelay: Number.POSITIVE_INFINITY })
    .on("line", (line) => {
      read = 0;
      take(line);
    })
    // It passes on what its input meets.
    .on("error", () => socket.destroy());
  socket.on("data", (chunk) => {
    read += chunk.length;
    if (read > MOST_CHARACTERS) socket.destroy();
  });
}

function lineOf(key: string, value: Uint8Array): string {
  return `${JSON.stringify([key, Buffer.from(value).toString("base64")])}\n`;
}

function entryOf(line: string): { readonly key: string; readonly value: Uint8Array } {
  // Both sides are this file, and know the token.
  const [key, value] = JSON.parse(line) as [string, string];
  return { key, value: new Uint8Array(Buffer.from(value, "base64")) };
}
