import { describe, expect, it } from "vitest";
import type { PointNeeds } from "../../../../tools/sweep/executors/needs";
import { cardsHere, type Held, type Machine, roomOf } from "../../../../tools/sweep/executors/room";
import { fakeTool } from "./support";

const onCards = (count: number): PointNeeds => ({
  cards: { kind: "GPU", count },
  processorShares: 1,
  processors: null,
});
const ofRanks = (ranks: number): PointNeeds => ({ cards: null, processorShares: ranks, processors: ranks });
const never = new AbortController().signal;

/** Asks for all at once; `held` are those that got it, in their order. */
function asking(machine: Machine, wanted: readonly PointNeeds[], stop = never) {
  const room = roomOf(machine);
  const held: (Held | null)[] = [];
  for (const needs of wanted) void room.hold(needs, stop).then((each) => held.push(each));
  const settle = () => new Promise((done) => setImmediate(done));
  return { held, settle };
}

describe("room on this machine", () => {
  it.each<[what: string, machine: Machine, wanted: readonly PointNeeds[], atOnce: number]>([
    ["single ranks take none", { cores: 2, cards: null }, new Array(5).fill(ofRanks(1)), 5],
    ["two ranks fill two cores", { cores: 2, cards: null }, [ofRanks(2), ofRanks(2)], 1],
    ["two ranks and two fill four", { cores: 4, cards: null }, new Array(3).fill(ofRanks(2)), 2],
    ["more ranks than cores run alone", { cores: 2, cards: null }, [ofRanks(8), ofRanks(2)], 1],
    ["a card for each", { cores: 1, cards: ["0", "1", "3"] }, new Array(5).fill(onCards(1)), 3],
    ["four of eight cards", { cores: 1, cards: [..."01234567"] }, new Array(3).fill(onCards(4)), 2],
    ["cards that nobody can name", { cores: 64, cards: null }, new Array(3).fill(onCards(1)), 1],
  ])("%s", async (_, machine, wanted, atOnce) => {
    const { held, settle } = asking(machine, wanted);
    await settle();
    expect(held).toHaveLength(atOnce);
    for (let i = 0; i < held.length; i++) {
      held[i]?.release();
      await settle();
    }
    expect(held, "all in the end").toHaveLength(wanted.length);
  });

  it("gives each its own cards", async () => {
    const { held, settle } = asking({ cores: 1, cards: ["0", "1", "3"] }, [onCards(2), onCards(1), onCards(1)]);
    await settle();
    held[0]?.release();
    await settle();
    expect(held.map((each) => each?.variables.CUDA_VISIBLE_DEVICES)).toEqual(["0,1", "3", "0"]);
    const unnamed = asking({ cores: 1, cards: null }, [onCards(1), ofRanks(2)]);
    await unnamed.settle();
    expect(unnamed.held.map((each) => each?.variables)).toEqual([{}, {}]);
  });

  it("is not waited for where the person wants to stop", async () => {
    const stop = new AbortController();
    const { held, settle } = asking({ cores: 2, cards: null }, [ofRanks(2), ofRanks(2)], stop.signal);
    await settle();
    stop.abort();
    await settle();
    expect(held).toEqual([expect.anything(), null]);
  });
});

describe("the cards of this machine", () => {
  const smi = (stdout: string | null) => fakeTool(() => (stdout === null ? null : { stdout })).tool;
  it.each([
    ["those that the person allows", { CUDA_VISIBLE_DEVICES: "2,GPU-ab" }, "0\n1\n", ["2", "GPU-ab"]],
    ["those that nvidia-smi lists", {}, "0\n1\n", ["0", "1"]],
    ["unknown without nvidia-smi", {}, null, null],
    ["unknown where it lists none", {}, "No devices were found\n", null],
  ])("are %s", async (_, environment, printed, cards) => {
    expect(await cardsHere(environment, smi(printed))).toEqual(cards);
  });
});
