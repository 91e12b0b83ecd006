/** What `npm run bench:scaling` found, as docs/scaling.json keeps it, and its tables. */

/** Of one process group; shares are means over its ranks. */
export interface MeasuredRanks {
  readonly secondsMedian: number;
  readonly secondsMin: number;
  readonly secondsMax: number;
  /** Of the time of a step: waiting for the slowest rank, and the exchange of gradients itself. */
  readonly waitShare: number;
  readonly reductionShare: number;
}

export interface ScalingSubject {
  readonly title: string;
  readonly batchPerRank: number;
  /** Of the gradients that each rank gives, in float32. */
  readonly reducedBytes: number;
  readonly sides: readonly { readonly ranks: number; readonly rounds: readonly MeasuredRanks[] }[];
}

export interface ScalingRecord {
  readonly date: string;
  readonly processor: string;
  readonly cores: number;
  readonly node: string;
  /** Its mpirun's name for itself. */
  readonly mpi: string;
  readonly threadsPerRank: number;
  readonly rounds: number;
  readonly steps: number;
  /** A sentence, e.g. on what else the machine did. */
  readonly note: string | null;
  readonly subjects: readonly ScalingSubject[];
}

interface Spread {
  readonly middle: number;
  readonly least: number;
  readonly most: number;
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  return { middle, least: sorted[0] ?? Number.NaN, most: sorted.at(-1) ?? Number.NaN };
}

const short = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
const spread = ({ middle, least, most }: Spread, text: (value: number) => string): string =>
  `${text(middle)} (${text(least)}–${text(most)})`;
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

export function scalingTable({ title, batchPerRank, reducedBytes, sides }: ScalingSubject, cores: number): string {
  const imagesPerSecond = (ranks: number, seconds: number): number => (ranks * batchPerRank) / seconds;
  const rates = new Map(
    sides.map(({ ranks, rounds }) => [
      ranks,
      spreadOf(rounds.map(({ secondsMedian }) => imagesPerSecond(ranks, secondsMedian))),
    ]),
  );
  const one = rates.get(1)?.middle ?? Number.NaN;
  const rows = sides.map(({ ranks, rounds }) => {
    const rate = rates.get(ranks);
    if (rate === undefined) throw new Error("internal: a side without a rate");
    return [
      ranks > cores ? `${ranks}, on ${cores} cores` : String(ranks),
      spread(rate, short),
      (rate.middle / one).toFixed(2),
      ranks > cores ? "–" : percent(rate.middle / one / ranks),
      spread(spreadOf(rounds.map(({ secondsMedian }) => 1000 * secondsMedian)), short),
      ranks === 1 ? "" : spread(spreadOf(rounds.map(({ reductionShare }) => reductionShare)), percent),
      ranks === 1 ? "" : spread(spreadOf(rounds.map(({ waitShare }) => waitShare)), percent),
    ];
  });
  const head = ["ranks", "images/s", "× one rank", "efficiency", "ms a step", "in reduction", "waiting"];
  return [
    `${title}: ${batchPerRank} images on each rank, ${(reducedBytes / 1e6).toFixed(1)} MB of gradients.`,
    "",
    `| ${head.join(" | ")} |`,
    `|${" ---: |".repeat(head.length)}`,
    ...rows.map((cells) => `| ${cells.join(" | ")} |`),
  ].join("\n");
}

export function scalingIntroduction(record: ScalingRecord): string {
  const { date, processor, cores, node, mpi, threadsPerRank, rounds, steps, note } = record;
  return (
    `${date}, ${processor}, ${cores} cores, Node ${node}, ${mpi}, ${threadsPerRank} thread${threadsPerRank === 1 ? "" : "s"} a rank, float32. ` +
    `Medians of ${steps} steps in each of ${rounds} rounds, and in brackets the range of the rounds; in a round every number of ranks ` +
    `runs once, in turn, in processes of its own.${note === null ? "" : ` ${note}`}`
  );
}
