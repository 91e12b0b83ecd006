/** What `npm run bench:data` found, as docs/data-speed.json keeps it, and its table. */

/** Of one process that decodes, crops and resizes a number of images. */
export interface MeasuredImages {
  readonly images: number;
  readonly seconds: number;
  /** Of all its threads and processes. */
  readonly cpuSeconds: number;
}

export const dataSides = ["ijepa", "torchvision"] as const;
export type DataSide = (typeof dataSides)[number];

export interface DataSetting {
  readonly workers: number;
  /** All of it runs on one core. */
  readonly oneCore: boolean;
}

export interface DataSpeedRecord {
  readonly date: string;
  readonly processor: string;
  readonly cores: number;
  readonly node: string;
  readonly sharp: string;
  /** Which package's libjpeg-turbo decodes; null: sharp decodes. */
  readonly turbojpeg: string | null;
  /** Versions of torch, torchvision and Pillow. */
  readonly peer: string;
  /** Of the images: how many, their size, and bytes of one on average. */
  readonly images: { readonly count: number; readonly width: number; readonly height: number; readonly bytes: number };
  readonly size: number;
  readonly rounds: number;
  /** Of the machine in the minute before each round. */
  readonly load: readonly number[];
  readonly note: string | null;
  readonly settings: readonly (DataSetting & {
    readonly rounds: Readonly<Record<DataSide, readonly MeasuredImages[]>>;
  })[];
}

const middle = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
};
const rateOf = ({ images, seconds }: MeasuredImages): number => images / seconds;
const cpuRateOf = ({ images, cpuSeconds }: MeasuredImages): number => images / cpuSeconds;

/** Images a second of one core: of the processor's time, which other work on the machine does not change. */
export function imagesPerCoreSecond({ settings }: DataSpeedRecord, side: DataSide): number {
  const [alone] = settings.filter(({ oneCore }) => oneCore);
  return middle((alone?.rounds[side] ?? []).map(cpuRateOf));
}

function withRange(values: readonly number[]): string {
  const text = (value: number): string => value.toFixed(0);
  return `${text(middle(values))} (${text(Math.min(...values))}–${text(Math.max(...values))})`;
}

export function dataSpeedIntroduction(record: DataSpeedRecord): string {
  const { date, processor, cores, node, sharp, turbojpeg, peer, images, size, rounds, load } = record;
  const decoder = turbojpeg === null ? `sharp ${sharp}` : `libjpeg-turbo of ${turbojpeg}`;
  const loads = load.map((value) => value.toFixed(1));
  return [
    `${date}, ${processor}, ${cores} cores; Node ${node}, ${decoder}; ${peer}.`,
    `${images.count} JPEG of ${images.width}×${images.height} (${(images.bytes / 1000).toFixed(0)} kB each), a random crop of each at ${size}.`,
    `Medians of ${rounds} rounds with their range, the two in turn; load of the machine before each round ${loads.join(", ")}.`,
    ...(record.note === null ? [] : [record.note]),
  ].join(" ");
}

export function dataSpeedTable({ settings }: DataSpeedRecord): string {
  const rows = settings.map(({ workers, oneCore, rounds }) => {
    const rates = dataSides.map((side) => rounds[side].map(rateOf));
    const ofCpu = dataSides.map((side) => rounds[side].map(cpuRateOf));
    const [ours = Number.NaN, theirs = Number.NaN] = ofCpu.map(middle);
    return [
      `${workers}${oneCore ? ", on one core" : ""}`,
      ...rates.map(withRange),
      ...ofCpu.map(withRange),
      `${(ours / theirs).toFixed(2)}`,
    ];
  });
  const head = [
    "workers",
    ...dataSides.map((side) => `${side}, images/s`),
    ...dataSides.map((side) => `${side}, images per core-second`),
    "ratio",
  ];
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(["---:", ...head.slice(1).map(() => "---:")]), ...rows.map(line)].join("\n");
}
