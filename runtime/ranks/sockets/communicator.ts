/**
 * The communicator of ranks that nothing joins for MPI (pods of an Indexed Job, `srun` without --mpi, torchrun over several
 * hosts) and whose engine reduces gradients by itself: only small things are left to say, which go through rank 0. There is no
 * mean of gradients here, and none is to come.
 */
import { createServer } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { rankConnectionLost, rankNotSeen, ranksNotJoined, rankUnreachable } from "../../errors";
import { messageOf } from "../../exceptions";
import { exitAtOnce } from "../../exit";
import { agreeOn } from "../agree";
import type { Communicator } from "../communicator";
import type { Launch } from "../launch";
import { connectTo, type Door, listenOn, newToken, ownHosts, readDoor, removeDoor, sameToken, writeDoor } from "./door";
import { type Messages, messagesOf, packed, unpacked } from "./messages";

export interface SocketOptions {
  /** `ranks` in the run folder, on a disk that all hosts share. */
  readonly folder: string;
  /** How long the ranks wait for one another: a scheduler need not start them at the same time. Left out: 10 minutes. */
  readonly joinMs?: number;
}

interface Peer {
  readonly rank: number;
  readonly host: string;
  readonly messages: Messages;
}

const usualJoinMs = 10 * 60_000;
const lookMs = 200;
/** Rank 0 answers to a password at once. */
const greetingMs = 10_000;

/** To be called by all ranks; returns when all are there. Throws R204, R213 or R214 where they do not come together. */
export async function openSocketCommunicator(launch: Launch, options: SocketOptions): Promise<Communicator> {
  const host = launch.host ?? hostname();
  const what: Joining = {
    launch,
    host,
    file: join(options.folder, "door.json"),
    joinMs: options.joinMs ?? usualJoinMs,
  };
  return launch.rank === 0 ? ofFirst(what, await welcomed(what)) : ofOther(what, await joined(what));
}

interface Joining {
  readonly launch: Launch;
  readonly host: string;
  readonly file: string;
  readonly joinMs: number;
}

interface Hello {
  readonly token: string;
  readonly rank: number;
  readonly host: string;
}

const encode = (value: object): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const decode = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes));

function isHello(value: unknown): value is Hello {
  if (typeof value !== "object" || value === null || !("token" in value && "rank" in value && "host" in value))
    return false;
  return typeof value.token === "string" && typeof value.rank === "number" && typeof value.host === "string";
}

/** Rank 0: the others, by rank, as soon as all have come. */
async function welcomed({ launch, file, joinMs }: Joining): Promise<readonly Peer[]> {
  const { size, launcher, address } = launch;
  const token = newToken();
  const peers = new Map<number, Peer>();
  const missing = (): readonly number[] =>
    Array.from({ length: size - 1 }, (_, i) => i + 1).filter((rank) => peers.get(rank)?.messages.isClosed() ?? true);
  const server = createServer((socket) => {
    let from = { rank: -1, host: "?" };
    const messages = messagesOf(socket, () => rankConnectionLost(from));
    const greet = async (): Promise<void> => {
      const hello = decode(await messages.next());
      if (!isHello(hello) || !sameToken(hello.token, token) || !missing().includes(hello.rank))
        throw new Error("no rank");
      from = hello;
      peers.set(hello.rank, { rank: hello.rank, host: hello.host, messages });
      messages.send(encode({ known: true }));
    };
    greet().catch(() => socket.destroy());
  });
  // torchrun itself may listen on the port that it tells.
  const port = await listenOn(server, launcher === "torchrun" ? 0 : (address?.port ?? 0));
  writeDoor(file, { hosts: [...(address === null ? [] : [address.host]), ...ownHosts()], port, token });
  try {
    const endMs = performance.now() + joinMs;
    while (missing().length > 0) {
      if (performance.now() > endMs) throw ranksNotJoined({ missing: missing(), size, waitedMs: joinMs });
      await wait(lookMs / 4);
    }
  } catch (error) {
    for (const { messages } of peers.values()) messages.destroy();
    throw error;
  } finally {
    server.close();
    removeDoor(file);
  }
  const all = [...peers.values()].sort((a, b) => a.rank - b.rank);
  for (const { messages } of all) messages.send(encode({ welcome: true }));
  return all;
}

/** The others: rank 0, as soon as all have come. A door of an earlier start stays closed, until rank 0 has put up its own. */
async function joined({ launch, host, file, joinMs }: Joining): Promise<Peer> {
  const endMs = performance.now() + joinMs;
  let last: { readonly door: Door; readonly why: string } | null = null;
  while (performance.now() < endMs) {
    const door = readDoor(file);
    if (door !== null) {
      try {
        return await knock(door, { token: door.token, rank: launch.rank, host }, endMs - performance.now());
      } catch (error) {
        last = { door, why: messageOf(error) };
      }
    }
    await wait(lookMs);
  }
  if (last === null) throw rankNotSeen({ rank: 0, folder: file, waitedMs: joinMs });
  const { hosts, port } = last.door;
  throw rankUnreachable({ rank: launch.rank, hosts, port, why: last.why });
}

async function knock(door: Door, hello: Hello, patienceMs: number): Promise<Peer> {
  const [known = "its host"] = door.hosts;
  const socket = await connectTo(door);
  const messages = messagesOf(socket, () => rankConnectionLost({ rank: 0, host: known }));
  const within = async (ms: number): Promise<void> => {
    const late = setTimeout(() => socket.destroy(), ms);
    try {
      await messages.next();
    } finally {
      clearTimeout(late);
    }
  };
  messages.send(encode(hello));
  await within(greetingMs);
  await within(patienceMs);
  return { rank: 0, host: known, messages };
}

/** The collective functions that both sides make of sending and receiving. */
interface Exchange {
  /** What every rank gave, by rank. */
  gather(bytes: Uint8Array): Promise<readonly Uint8Array[]>;
  broadcast(bytes: Uint8Array): Promise<Uint8Array>;
  end(): void;
  destroy(): void;
}

function ofFirst(what: Joining, peers: readonly Peer[]): Communicator {
  const all = (act: (messages: Messages) => void): void => {
    for (const { messages } of peers) act(messages);
  };
  return communicatorOf(what, {
    gather: async (bytes) => {
      const given = [bytes.slice(), ...(await Promise.all(peers.map(({ messages }) => messages.next())))];
      const message = packed(given);
      all((to) => to.send(message));
      return given;
    },
    broadcast: async (bytes) => {
      all((to) => to.send(bytes));
      return bytes.slice();
    },
    end: () => all((to) => to.end()),
    destroy: () => all((to) => to.destroy()),
  });
}

function ofOther(what: Joining, { messages }: Peer): Communicator {
  return communicatorOf(what, {
    gather: async (bytes) => {
      messages.send(bytes);
      return unpacked(await messages.next());
    },
    broadcast: () => messages.next(),
    end: () => messages.end(),
    destroy: () => messages.destroy(),
  });
}

function communicatorOf({ launch, host }: Joining, exchange: Exchange): Communicator {
  // Messages of two calls must not mix; they have the order of their beginnings.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(call: () => Promise<T>): Promise<T> => {
    const turn = last.then(call);
    last = turn.catch(() => {});
    return turn;
  };
  const allGather = (bytes: Uint8Array): Promise<readonly Uint8Array[]> => inTurn(() => exchange.gather(bytes));
  const ofTheEngine = async (): Promise<never> => {
    throw new Error("internal: numbers of a step leave an engine that reduces by itself");
  };
  return {
    rank: launch.rank,
    size: launch.size,
    host,
    allReduceMean: ofTheEngine,
    allGatherBlocks: ofTheEngine,
    allGather,
    broadcast: (bytes) => inTurn(() => exchange.broadcast(bytes)),
    barrier: async () => {
      await allGather(new Uint8Array());
    },
    agree: (what, value) => agreeOn({ host, allGather }, { what, value }),
    abort: async (_reason, exitCode) => {
      exchange.destroy();
      return exitAtOnce(exitCode);
    },
    close: async () => {
      await allGather(new Uint8Array());
      exchange.end();
    },
  };
}
