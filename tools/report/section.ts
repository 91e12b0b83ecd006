/** A part of a report that is pictures: markup made by svg.ts alone, whose text is escaped there. */
export interface Section {
  readonly title: string;
  readonly notes: readonly string[];
  /** Images that its figures use, an `<svg>` of no size; empty where there are none. */
  readonly definitions: string;
  readonly figures: readonly Figure[];
}

export interface Figure {
  readonly caption: string;
  /** Over the whole width of the page. */
  readonly isWide: boolean;
  /** An `<svg>` element. */
  readonly markup: string;
}
