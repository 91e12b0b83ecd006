/** Ranks that nothing joins for MPI: they find each other through the run folder. */
import { existsSync, mkdtempSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Communicator } from "../../../runtime/ranks/communicator";
import { type Launch, launchOf } from "../../../runtime/ranks/launch";
import { openSocketCommunicator } from "../../../runtime/ranks/sockets/communicator";
import { readDoor, writeDoor } from "../../../runtime/ranks/sockets/door";

const newFolder = (): string => join(mkdtempSync(join(tmpdir(), "ijepa-sockets-")), "ranks");

const pod = (rank: number, size: number, more: Readonly<Record<string, string>> = {}): Launch =>
  launchOf({ JOB_COMPLETION_INDEX: String(rank), IJEPA_RANKS: String(size), HOSTNAME: `run-${rank}`, ...more });

const open = (size: number, folder = newFolder(), more: Readonly<Record<string, string>> = {}) =>
  Promise.all(Array.from({ length: size }, (_, rank) => openSocketCommunicator(pod(rank, size, more), { folder })));

const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);
const bytes = (of: string): Uint8Array => new TextEncoder().encode(of);

const onAll = <T>(ranks: readonly Communicator[], act: (rank: Communicator) => Promise<T>): Promise<readonly T[]> =>
  Promise.all(ranks.map(act));

async function untilDoor(folder: string): Promise<ReturnType<typeof readDoor>> {
  const file = join(folder, "door.json");
  for (let looks = 0; !existsSync(file); looks++) {
    if (looks > 500) throw new Error("rank 0 puts up no door");
    await new Promise((done) => setTimeout(done, 20));
  }
  return readDoor(file);
}

describe("pods of an Indexed Job", () => {
  it.each([1, 2, 5])("%i of them hear what each says, in the order of ranks", async (size) => {
    const folder = newFolder();
    const ranks = await open(size, folder);
    expect(ranks.map(({ rank, size: of, host }) => [rank, of, host])).toEqual(
      Array.from({ length: size }, (_, rank) => [rank, size, `run-${rank}`]),
    );
    // Begun in one go: calls have an order, and messages of two must not mix.
    const said = await onAll(ranks, ({ rank, allGather, broadcast, barrier }) =>
      Promise.all([
        allGather(bytes("x".repeat(rank * 3))),
        broadcast(bytes(`from ${rank}`)),
        barrier(),
        allGather(new Uint8Array(300_000).fill(rank)),
        broadcast(new Uint8Array()),
      ]),
    );
    for (const [gathered, told, , large, nothing] of said) {
      expect(gathered.map(text)).toEqual(Array.from({ length: size }, (_, rank) => "x".repeat(rank * 3)));
      expect(text(told)).toBe("from 0");
      expect(large.map((each) => [each.length, each[0], each.at(-1)])).toEqual(
        Array.from({ length: size }, (_, rank) => [300_000, rank, rank]),
      );
      expect(nothing).toHaveLength(0);
    }
    await onAll(ranks, (each) => each.agree("experiment", "cafe"));
    const differing = onAll(ranks, ({ rank, agree }) =>
      agree("experiment", rank === 1 ? "beef" : "cafe").then(
        () => null,
        (error: unknown) => error,
      ),
    );
    for (const error of await differing) {
      if (size === 1) expect(error).toBeNull();
      else {
        expect(error).toMatchObject({
          code: "R199",
          message: expect.stringContaining("rank 0 on run-0 has cafe, rank 1 on run-1 has beef"),
        });
      }
    }
    await onAll(ranks, (each) => each.close());
    expect(existsSync(join(folder, "door.json")), "nobody else finds them").toBe(false);
  });

  it("listen where MASTER_PORT says, and elsewhere where that is taken", async () => {
    const first = newFolder();
    const one = openSocketCommunicator(pod(0, 2), { folder: first });
    const door = await untilDoor(first);
    const address = { MASTER_ADDR: "run-0.invalid", MASTER_PORT: String(door?.port) };
    const second = newFolder();
    const other = openSocketCommunicator(pod(0, 2, address), { folder: second });
    const [taken, free] = [await untilDoor(second), await untilDoor(first)];
    expect(taken?.hosts[0]).toBe("run-0.invalid");
    expect(taken?.port).not.toBe(free?.port);
    const joined = await Promise.all([first, second].map((folder) => openSocketCommunicator(pod(1, 2), { folder })));
    await onAll([await one, await other, ...joined], (each) => each.close());
    const again = newFolder();
    const third = openSocketCommunicator(pod(0, 2, address), { folder: again });
    expect((await untilDoor(again))?.port).toBe(door?.port);
    const last = await openSocketCommunicator(pod(1, 2, address), { folder: again });
    await onAll([await third, last], (each) => each.close());
  });

  it("do not take an earlier start's door for theirs", async () => {
    const folder = newFolder();
    writeDoor(join(folder, "door.json"), { hosts: ["127.0.0.1"], port: 9, token: "of yesterday" });
    const late = openSocketCommunicator(pod(1, 2), { folder });
    await new Promise((done) => setTimeout(done, 300));
    const first = await openSocketCommunicator(pod(0, 2), { folder });
    await onAll([first, await late], (each) => each.close());
  });

  it.each([
    ["without the password", { token: "guessed", rank: 1, host: "x" }],
    ["that says nothing of use", { hello: true }],
  ])("let nobody in %s", async (_, says) => {
    const folder = newFolder();
    const first = openSocketCommunicator(pod(0, 2), { folder });
    const door = await untilDoor(folder);
    const stranger = createConnection({ host: "127.0.0.1", port: door?.port ?? 0 });
    const refused = new Promise<string>((done) => {
      let heard = "";
      stranger.on("data", (data) => {
        heard += String(data);
      });
      stranger.on("error", () => {}).on("close", () => done(heard));
    });
    const message = bytes(JSON.stringify(says));
    stranger.write(Buffer.from(Uint32Array.of(message.length).buffer));
    stranger.write(message);
    expect(await refused).toBe("");
    const second = await openSocketCommunicator(pod(1, 2), { folder });
    await onAll([await first, second], (each) => each.close());
  });

  it("say which of them have not come, and that rank 0 has not", async () => {
    const folder = newFolder();
    const joining = [0, 2].map((rank) => openSocketCommunicator(pod(rank, 4), { folder, joinMs: 700 }));
    const [first, third] = await Promise.allSettled(joining);
    expect(first).toMatchObject({
      reason: { code: "R215", message: expect.stringMatching(/within 1 s: 1, (2, )?3\./) },
    });
    expect(third).toMatchObject({ reason: { code: "R213" } });
    await expect(openSocketCommunicator(pod(1, 2), { folder, joinMs: 300 })).rejects.toMatchObject({
      code: "R204",
      message: expect.stringContaining("rank 0 has given no sign of life"),
    });
  });

  it("let a rank come a second time while the others are still awaited", async () => {
    const folder = newFolder();
    const first = openSocketCommunicator(pod(0, 3), { folder });
    const door = await untilDoor(folder);
    const gone = createConnection({ host: "127.0.0.1", port: door?.port ?? 0 }).on("error", () => {});
    const message = bytes(JSON.stringify({ token: door?.token, rank: 1, host: "run-1" }));
    gone.write(Buffer.concat([Buffer.from(Uint32Array.of(message.length).buffer), message]));
    await new Promise((done) => gone.once("data", done));
    gone.destroy();
    const others = [1, 2].map((rank) => openSocketCommunicator(pod(rank, 3), { folder }));
    await onAll(await Promise.all([first, ...others]), (each) => each.close());
  });

  it("know at once whose connection is closed", async () => {
    const [first, second] = await open(2);
    // The one is at its end where the other goes on.
    await Promise.all([first?.barrier(), second?.close()]);
    await expect(first?.barrier()).rejects.toMatchObject({
      code: "R214",
      message: expect.stringMatching(/connection to rank 1 on run-1 is closed/),
    });
  });
});
