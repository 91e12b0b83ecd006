/**
 * A fuzzer: many made inputs for one reader. `npm test` makes a fixed number from a fixed seed; IJEPA_FUZZ_SECONDS=N goes on for
 * so long from a seed of its own, which it prints. IJEPA_TEST_SEED repeats one.
 */
import { afterAll, expect, it } from "vitest";
import { type Random, randomAt } from "../../runtime/random/random";
import { testSeed } from "../support/seed";

const seconds = Number(process.env.IJEPA_FUZZ_SECONDS ?? "0");
const isLong = seconds > 0;
const seed =
  isLong && process.env.IJEPA_TEST_SEED === undefined ? Math.floor(Math.random() * 2 ** 31) : Math.abs(testSeed);

export interface Fuzzer<T> {
  /** How many inputs `npm test` makes. */
  readonly cases: number;
  /** An input; the stream is another one for every number. */
  readonly make: (random: Random) => T;
  /** Reads it. Gives what became of it in a word, for the count; throws where the reader does what it must not. */
  readonly read: (input: T) => Promise<string> | string;
  /** How a person sees an input again. */
  readonly show: (input: T) => string;
}

/** One test: so many inputs, or as many as there is time for. A failure has the seed and the number of its input. */
export function fuzz<T>(name: string, { cases, make, read, show }: Fuzzer<T>): void {
  const outcomes = new Map<string, number>();
  it(name, { timeout: (seconds + 120) * 1000 }, async () => {
    const endMs = Date.now() + seconds * 1000;
    for (let i = 0; isLong ? Date.now() < endMs : i < cases; i++) {
      const input = make(randomAt({ seed, purpose: `fuzz ${name}`, sample: i }));
      try {
        const outcome = await read(input);
        outcomes.set(outcome, 1 + (outcomes.get(outcome) ?? 0));
      } catch (error) {
        const stack = error instanceof Error ? error.stack : String(error);
        expect.fail(`IJEPA_TEST_SEED=${seed}, input ${i}: ${show(input)}\n${stack}`);
      }
    }
    // Where all is refused at the first byte, nothing behind it is looked at.
    expect(outcomes.size).toBeGreaterThan(1);
  });
  afterAll(() => {
    if (!isLong) return;
    const counts = [...outcomes].sort(([, a], [, b]) => b - a).map(([outcome, count]) => `${count} ${outcome}`);
    console.log(`fuzz ${name}, seed ${seed}: ${counts.join(", ")}`);
  });
}

/** Some bytes changed, cut off, doubled or put elsewhere: one to eight edits, most of them small. */
export function mutated(bytes: Uint8Array, random: Random): Uint8Array {
  let out = Uint8Array.from(bytes);
  const at = (length = out.length): number => random.integer(Math.max(1, length));
  const splice = (from: number, removed: number, put: Uint8Array): void => {
    const made = new Uint8Array(out.length - removed + put.length);
    made.set(out.subarray(0, from));
    made.set(put, from);
    made.set(out.subarray(from + removed), from + put.length);
    out = made;
  };
  for (let edits = 1 + random.integer(8); edits > 0; edits--) {
    const from = at();
    const length = Math.min(1 + random.integer(random.integer(4) === 0 ? 256 : 8), out.length - from);
    switch (random.integer(6)) {
      case 0:
        out.set([(out[from] ?? 0) ^ (1 << random.integer(8))], Math.min(from, Math.max(0, out.length - 1)));
        break;
      case 1:
        for (let i = 0; i < length; i++) out[from + i] = random.integer(256);
        break;
      case 2:
        splice(from, length, new Uint8Array());
        break;
      case 3:
        splice(from, 0, out.slice(from, from + length));
        break;
      case 4: {
        const to = at();
        splice(to, 0, out.slice(from, from + length));
        break;
      }
      default:
        // Lengths, counts and offsets: the edges of what numbers can be.
        out.set(edges[random.integer(edges.length)]?.subarray(0, Math.max(0, out.length - from)) ?? [], from);
    }
    if (out.length === 0) return out;
  }
  // Now and then the file ends early.
  return random.integer(8) === 0 ? out.slice(0, at()) : out;
}

const edges = [
  Uint8Array.of(0, 0, 0, 0),
  Uint8Array.of(255, 255, 255, 255),
  Uint8Array.of(255, 255, 255, 127),
  Uint8Array.of(0, 0, 0, 128),
  Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255),
  Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0),
];
