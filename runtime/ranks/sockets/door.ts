/**
 * How the processes of a run find rank 0: where it listens, and a password. Between ranks that MPI has joined it travels by
 * MPI; others find it as a file in the run folder, which all of them share.
 */
import { randomBytes, timingSafeEqual } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createConnection, type Server, type Socket } from "node:net";
import { hostname, networkInterfaces } from "node:os";
import { dirname } from "node:path";
import { messageOf } from "../../exceptions";

export interface Door {
  /** Every name and address of its host, since which of them others reach is theirs to find out. */
  readonly hosts: readonly string[];
  readonly port: number;
  /** Whoever does not know it is no rank of this run. */
  readonly token: string;
}

/** How long one address is tried. */
const connectMs = 10_000;

export const newToken = (): string => randomBytes(32).toString("hex");

export function sameToken(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

export function ownHosts(): readonly string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const outside = addresses.filter(({ internal, family }) => !internal && family === "IPv4");
  return [hostname(), ...outside.map(({ address }) => address), "127.0.0.1"];
}

/** Listens on `port`, or on one that the system chooses where that is taken; gives the port. */
export async function listenOn(server: Server, port: number): Promise<number> {
  const listen = (wanted: number): Promise<void> =>
    new Promise((done, failed) => {
      server.once("error", failed).listen(wanted, () => {
        server.off("error", failed);
        done();
      });
    });
  await listen(port).catch((error: unknown) => {
    const isTaken = error instanceof Error && "code" in error && error.code === "EADDRINUSE" && port !== 0;
    if (!isTaken) throw error;
    return listen(0);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("internal: a server without a port");
  return address.port;
}

/** The first of the addresses that answers. Throws the last reason. */
export async function connectTo({ hosts, port }: Pick<Door, "hosts" | "port">): Promise<Socket> {
  let last = "it has no address";
  for (const host of hosts) {
    try {
      return await connected(host, port);
    } catch (error) {
      last = messageOf(error);
    }
  }
  throw new Error(last);
}

function connected(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host, port, timeout: connectMs }, () => {
      // What becomes of the other ranks is for others to say.
      socket
        .setTimeout(0)
        .off("error", reject)
        .on("error", () => socket.destroy());
      resolve(socket);
    });
    socket.once("error", reject).once("timeout", () => socket.destroy(new Error(`no answer from ${host}`)));
  });
}

/** Whole or not at all, and for nobody else to read. */
export function writeDoor(file: string, door: Door): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.draft`, JSON.stringify(door), { mode: 0o600 });
  renameSync(`${file}.draft`, file);
}

export function removeDoor(file: string): void {
  rmSync(file, { force: true });
}

/** Null where there is none. It may be that of an earlier start, behind which nobody is any more. */
export function readDoor(file: string): Door | null {
  try {
    const value: unknown = JSON.parse(readFileSync(file, "utf8"));
    if (typeof value !== "object" || value === null) return null;
    if (!("hosts" in value && "port" in value && "token" in value)) return null;
    const { hosts, port, token } = value;
    if (!Array.isArray(hosts) || !hosts.every((host): host is string => typeof host === "string")) return null;
    return typeof port === "number" && typeof token === "string" ? { hosts, port, token } : null;
  } catch {
    return null;
  }
}
