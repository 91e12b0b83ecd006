/** One table of docs/ablations.md as a picture: the paper's figures and ours, row by row. Its greys read on white and on black. */
import { escaped, short, text } from "../tools/report/svg";
import type { ComparedRow } from "./ablations-compare";
import type { PaperTable } from "./ablations-paper";
import { mean } from "./statistics";

const rowHeight = 26;
const top = 40;
const below = 26;
const namesWidth = 290;
const panelWidth = 240;
const gap = 40;
const grey = "#7b828b";
const colours = { paper: "#d9803a", ours: "#3b86d8" } as const;

interface Panel {
  readonly title: string;
  readonly colour: string;
  readonly left: number;
  /** Accuracies of each row; the first is drawn large. */
  readonly values: readonly (readonly number[])[];
}

export function ablationPicture({ title, isOrdered }: PaperTable, rows: readonly ComparedRow[]): string {
  const width = namesWidth + 2 * panelWidth + gap + 20;
  const height = top + rows.length * rowHeight + below;
  const names = rows.map(({ name }, r) => text(namesWidth - 14, yOf(r) + 4, name, "end"));
  const panels: readonly Panel[] = [
    { title: "paper, %", colour: colours.paper, left: namesWidth, values: rows.map(({ paper }) => [paper]) },
    {
      title: "ours, %: mean, and every seed",
      colour: colours.ours,
      left: namesWidth + panelWidth + gap,
      values: rows.map(({ bySeed }) => [mean(bySeed), ...bySeed]),
    },
  ];
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" ` +
    `aria-label="${escaped(title)}" font-family="system-ui, sans-serif" font-size="12" fill="${grey}">\n` +
    `${[...names, ...panels.map((panel) => drawn(panel, isOrdered))].join("\n")}\n</svg>\n`
  );
}

const yOf = (row: number): number => top + (row + 0.5) * rowHeight;

function drawn({ title, colour, left, values }: Panel, isOrdered: boolean): string {
  const all = values.flat();
  const ticks = ticksOf(Math.min(...all), Math.max(...all));
  const [low = 0, high = 1] = [ticks[0], ticks.at(-1)];
  const xOf = (value: number): number => left + 8 + ((value - low) / (high - low)) * (panelWidth - 16);
  const bottom = top + values.length * rowHeight;
  const grid = ticks.map(
    (tick) =>
      `<path d="M${short(xOf(tick))} ${top}V${bottom}" stroke="${grey}" stroke-opacity="0.3"/>${text(xOf(tick), bottom + 16, String(tick), "middle")}`,
  );
  const means = values.map(([middle = 0], r) => `${short(xOf(middle))} ${short(yOf(r))}`);
  const line = `<path d="M${means.join("L")}" fill="none" stroke="${colour}" stroke-opacity="0.5"/>`;
  const dots = values.flatMap(([middle = 0, ...others], r) => [
    ...others.map(
      (value) =>
        `<circle cx="${short(xOf(value))}" cy="${short(yOf(r))}" r="2.5" fill="${colour}" fill-opacity="0.5"/>`,
    ),
    `<circle cx="${short(xOf(middle))}" cy="${short(yOf(r))}" r="4.5" fill="${colour}"/>`,
  ]);
  return [text(left + 8, 22, title), ...grid, ...(isOrdered ? [line] : []), ...dots].join("");
}

/** Round numbers around a span, three to six of them. */
export function ticksOf(low: number, high: number): readonly number[] {
  const span = Math.max(high - low, 0.5);
  const step = [0.2, 0.5, 1, 2, 5, 10, 20].find((one) => span / one <= 4) ?? 50;
  const first = Math.floor(low / step);
  const last = Math.max(Math.ceil(high / step), first + 1);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toFixed(1)));
}
