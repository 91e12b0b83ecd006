/** The devices of this machine, and which points have them at the moment. */
import type { PointNeeds } from "./needs";
import { runTool, type Tool } from "./tool";

export interface Machine {
  readonly cores: number;
  /** As CUDA_VISIBLE_DEVICES names them; null where nobody knows of any. */
  readonly cards: readonly string[] | null;
}

/** What a point has until it ends. */
export interface Held {
  /** Variables for its trainer. */
  readonly variables: Readonly<Record<string, string>>;
  readonly release: () => void;
}

export interface Room {
  /** Resolves when there is room; null where it was asked to stop first. Who asks first is served first. */
  hold(needs: PointNeeds, stop: AbortSignal): Promise<Held | null>;
}

/**
 * Points on cards have them for themselves; points of several ranks have a core for each rank. Single ranks on the processor
 * take no room: how many of them run, `--jobs` says. What is larger than the machine runs while nothing else holds room.
 */
export function roomOf({ cores, cards }: Machine): Room {
  // Without their names only one point can be sure of them.
  const free = new Set(cards ?? ["all"]);
  const allCards = free.size;
  let freeCores = cores;
  const waiting: { readonly take: () => Held | null; readonly give: (held: Held | null) => void }[] = [];

  const serve = (): void => {
    for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
      const held = first.take();
      if (held === null) return;
      waiting.shift();
      first.give(held);
    }
  };
  const take = (needs: PointNeeds): Held | null => {
    const wantedCores = needs.processorShares > 1 ? Math.min(needs.processorShares, cores) : 0;
    const wantedCards = needs.cards === null ? 0 : cards === null ? 1 : Math.min(needs.cards.count, allCards);
    if (wantedCores > freeCores || wantedCards > free.size) return null;
    freeCores -= wantedCores;
    const taken = [...free].slice(0, wantedCards);
    for (const card of taken) free.delete(card);
    const isNamed = cards !== null && taken.length > 0;
    return {
      variables: isNamed ? { CUDA_VISIBLE_DEVICES: taken.join(",") } : {},
      release: () => {
        freeCores += wantedCores;
        for (const card of taken) free.add(card);
        serve();
      },
    };
  };
  return {
    hold: (needs, stop) =>
      new Promise((resolve) => {
        if (stop.aborted) return resolve(null);
        const entry = {
          take: () => take(needs),
          give: (held: Held | null) => {
            stop.removeEventListener("abort", leave);
            resolve(held);
          },
        };
        const leave = (): void => {
          waiting.splice(waiting.indexOf(entry), 1);
          entry.give(null);
          serve();
        };
        stop.addEventListener("abort", leave);
        waiting.push(entry);
        serve();
      }),
  };
}

/** NVIDIA's cards that the sweep may use; null where it sees none. */
export async function cardsHere(
  environment: NodeJS.ProcessEnv = process.env,
  tool: Tool = runTool,
): Promise<readonly string[] | null> {
  const given = environment.CUDA_VISIBLE_DEVICES?.split(",").filter((name) => name.trim() !== "");
  if (given !== undefined && given.length > 0) return given;
  const listed = await tool("nvidia-smi", ["--query-gpu=index", "--format=csv,noheader"]).catch(() => null);
  const names = listed?.exitCode === 0 ? listed.stdout.split("\n").map((line) => line.trim()) : [];
  const cards = names.filter((name) => /^\d+$/.test(name));
  return cards.length === 0 ? null : cards;
}
