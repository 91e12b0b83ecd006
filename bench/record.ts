/** What a benchmark found, as docs/bench.json keeps it, and its tables. */

/** What a process reports of itself; PyTorch's and ours alike. */
export interface Measured {
  readonly seconds_median: number;
  readonly seconds_min: number;
  /** Over all threads, with what they wait for each other in a loop; not in the table. */
  readonly cpu_seconds_per_step: number;
  readonly peak_mib: number;
  /** The engine's line; PyTorch's process has none. */
  readonly engine?: string;
}

export interface Side {
  /** "PyTorch 2.13.0", "onnx cpu", "xla cpu bf16" */
  readonly name: string;
  readonly precision: "fp32" | "bf16";
  /** One for each process. */
  readonly rounds: readonly Measured[];
  /** Why there are no rounds; null where there are. */
  readonly absent: string | null;
}

export interface BenchSubject {
  readonly title: string;
  readonly batch: number;
  readonly contextTokens: number;
  readonly targetTokens: number;
  readonly sides: readonly Side[];
}

export interface BenchRecord {
  readonly date: string;
  readonly processor: string;
  readonly threads: number;
  readonly node: string;
  readonly rounds: number;
  /** Timed in each process, at most. */
  readonly steps: number;
  /** A sentence, e.g. on what else the machine did. */
  readonly note: string | null;
  readonly subjects: readonly BenchSubject[];
}

const middle = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const medians = ({ rounds }: Side): readonly number[] => rounds.map(({ seconds_median }) => seconds_median);

export function imagesPerSecond(side: Side, batch: number): number {
  return batch / middle(medians(side));
}

/** Three digits that count, without an exponent. */
const short = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 0.001 ? value.toPrecision(3) : value.toFixed(5);

function milliseconds(side: Side): string {
  const all = medians(side).map((seconds) => seconds * 1000);
  return `${short(middle(all))} (${short(Math.min(...all))}–${short(Math.max(...all))})`;
}

/** A column for each side that ran, and below the table a line for each that did not. */
export function tableOf({ title, batch, contextTokens, targetTokens, sides }: BenchSubject): string {
  const ran = sides.filter(({ rounds }) => rounds.length > 0);
  const row = (label: string, cell: (side: Side) => string): string => `| ${[label, ...ran.map(cell)].join(" | ")} |`;
  const ratio = (side: Side): string => {
    const peers = ran.filter(({ name, precision }) => name.startsWith("PyTorch") && precision === side.precision);
    const best = Math.max(...peers.map((peer) => imagesPerSecond(peer, batch)));
    return peers.length === 0 ? "–" : (imagesPerSecond(side, batch) / best).toFixed(2);
  };
  return [
    row(`${title}; ${contextTokens} context and 4 × ${targetTokens} target tokens`, ({ name }) => name),
    `| --- |${" ---: |".repeat(ran.length)}`,
    row("images/s", (side) => short(imagesPerSecond(side, batch))),
    row("ms a step (range of the rounds)", milliseconds),
    row("× the speed of PyTorch's best in this precision", ratio),
    row("peak memory, MiB", ({ rounds }) => Math.max(...rounds.map(({ peak_mib }) => peak_mib)).toFixed(0)),
    ...sides.filter(({ absent }) => absent !== null).map(({ name, absent }) => `\nNot measured, ${name}: ${absent}`),
  ].join("\n");
}

/** The fastest of ours beside the fastest of PyTorch, a line for each step and precision that both ran in. */
export function fastestTable({ subjects }: BenchRecord): string {
  const peak = ({ rounds }: Side): string => Math.max(...rounds.map(({ peak_mib }) => peak_mib)).toFixed(0);
  const rows = subjects.flatMap(({ title, batch, sides }) =>
    (["fp32", "bf16"] as const).flatMap((precision) => {
      const fastest = (isPeer: boolean): Side | undefined =>
        sides
          .filter((side) => side.precision === precision && side.rounds.length > 0)
          .filter(({ name }) => name.startsWith("PyTorch") === isPeer)
          .reduce<Side | undefined>(
            (best, side) =>
              best === undefined || imagesPerSecond(side, batch) > imagesPerSecond(best, batch) ? side : best,
            undefined,
          );
      const [ours, torch] = [fastest(false), fastest(true)];
      if (ours === undefined || torch === undefined) return [];
      const ratio = (imagesPerSecond(ours, batch) / imagesPerSecond(torch, batch)).toFixed(2);
      const own = `${ours.name.replace(` ${precision}`, "")}, ${milliseconds(ours)}`;
      const how = torch.name.includes("compiled") ? "compiled" : "eager";
      const memory = `${peak(ours)} and ${peak(torch)} MiB`;
      return [`| ${[title, precision, own, `${how}, ${milliseconds(torch)}`, ratio, memory].join(" | ")} |`];
    }),
  );
  return [
    "| step | precision | ijepa, ms | PyTorch, ms | ratio | peak memory |",
    "| --- | --- | ---: | ---: | ---: | ---: |",
    ...rows,
  ].join("\n");
}

export function introduction({ date, processor, threads, node, rounds, steps, note }: BenchRecord): string {
  return (
    `${date}, ${processor}, ${threads} thread${threads === 1 ? "" : "s"}, Node ${node}, float32 unless a column says bf16. Medians of at most ${steps} steps in each of ` +
    `${rounds} rounds; in a round every side runs once, in turn, in a process of its own.` +
    (note === null ? "" : ` ${note}`)
  );
}
