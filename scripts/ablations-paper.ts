/** The paper's ablations (Assran et al. 2023, Tables 6 to 14), beside the labels of our grids on the quickstart. */

/** A table of the paper: accuracy at 1 % of the labels, in percent. */
export interface PaperTable {
  readonly table: string;
  readonly sweep: string;
  /** Of the axes of the grid the one that the table is about; the rows are means over the others. */
  readonly axis?: number;
  readonly title: string;
  /** Name of the row and the paper's figure, by label of the grid, in the order of the page. */
  readonly rows: Readonly<Record<string, readonly [name: string, paper: number]>>;
  /** The rows are steps along one quantity. */
  readonly isOrdered: boolean;
  readonly note?: string;
}

const span = (from: string, to: string): string => `${from} to ${to}`;

/** In the order of the page. */
export const paperTables: readonly PaperTable[] = [
  {
    table: "6",
    sweep: "masking",
    title: "How context and targets are chosen",
    rows: {
      multiblock: ["multi-block", 54.2],
      rasterized: ["rasterized", 15.5],
      block: ["one block", 20.2],
      random: ["random", 17.6],
    },
    isOrdered: false,
  },
  {
    table: "7",
    sweep: "target-space",
    title: "What is predicted",
    rows: { representations: ["representations", 66.9], pixels: ["pixels", 40.7] },
    isOrdered: false,
    note: "The paper trains 500 epochs with representations and 800 with pixels (ViT-L/16).",
  },
  {
    table: "8",
    sweep: "target-scale",
    title: "How large targets are",
    rows: {
      "075-200": [span(".075", ".2"), 19.2],
      "100-200": [span(".1", ".2"), 39.2],
      "125-200": [span(".125", ".2"), 42.4],
      "150-200": [span(".15", ".2"), 54.2],
      "200-250": [span(".2", ".25"), 38.9],
      "200-300": [span(".2", ".3"), 33.6],
    },
    isOrdered: true,
    note: "On 8×8 patches the smallest block of .075 has 4 patches, which is why `masking.minKeep` is 3 in this grid, where the quickstart has 8.",
  },
  {
    table: "9",
    sweep: "context-scale",
    title: "How large the context is",
    rows: {
      "40": [span(".4", "1"), 31.2],
      "65": [span(".65", "1"), 47.1],
      "75": [span(".75", "1"), 49.3],
      "85": [span(".85", "1"), 54.2],
    },
    isOrdered: true,
  },
  {
    table: "10",
    sweep: "target-count",
    title: "How many blocks are predicted",
    rows: { count1: ["1", 9], count2: ["2", 22], count3: ["3", 48.5], count4: ["4", 54.2] },
    isOrdered: true,
  },
  {
    table: "11",
    sweep: "target-masking",
    title: "Where the target encoder is masked",
    rows: { output: ["at its output", 67.3], input: ["at its input", 56.1] },
    isOrdered: false,
    note: "The paper has ViT-H/16 here.",
  },
  {
    table: "12",
    sweep: "predictor",
    axis: 0,
    title: "How deep the predictor is",
    rows: { depth1: ["1 block (paper: 6)", 64], depth2: ["2 blocks (paper: 12)", 66.9] },
    isOrdered: true,
    note: "Means over both widths of Table 14; the paper has ViT-L/16, 24 blocks deep, where the encoder has 3 here.",
  },
  {
    table: "13",
    sweep: "weight-decay",
    title: "Weight decay",
    rows: { grows: [".04, growing to .4", 69.4], stays: [".05 throughout", 70.7] },
    isOrdered: false,
    note: "The paper's own order depends on the measure: by linear probe with all labels, which is what is measured here, it has 77.8 where weight decay grows and 76.4 where it stays.",
  },
  {
    table: "14",
    sweep: "predictor",
    axis: 1,
    title: "How wide the predictor is",
    rows: {
      dim48: ["half the encoder's width (paper: 384 of 1024)", 70.7],
      dim96: ["the encoder's own width (paper: 1024)", 68.4],
    },
    isOrdered: true,
    note: "Means over both depths of Table 12; the paper fine-tunes on 1 % of the labels here.",
  },
];
