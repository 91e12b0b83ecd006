/** The few shapes that pictures of a report are made of. Colours are names of report.css, so that they follow light and dark. */

const signs: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#x27;",
};

export const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => signs[sign] ?? sign);

/** Two decimals are finer than a screen. */
export const short = (value: number): string => String(Number(value.toFixed(2)));

export function svg(
  size: { readonly width: number; readonly height: number; readonly label: string },
  content: string,
) {
  const { width, height, label } = size;
  return `<svg viewBox="0 0 ${short(width)} ${short(height)}" role="img" aria-label="${escaped(label)}">${content}</svg>`;
}

export const text = (x: number, y: number, content: string, anchor: "start" | "middle" | "end" = "start"): string =>
  `<text x="${short(x)}" y="${short(y)}" text-anchor="${anchor}">${escaped(content)}</text>`;

export interface Grid {
  readonly rows: number;
  readonly columns: number;
}

/** The squares of patches as one path, `cell` wide each. */
export function squares(patches: Iterable<number>, { columns }: Grid, cell: number): string {
  let path = "";
  for (const patch of patches) {
    const [x, y] = [(patch % columns) * cell, Math.floor(patch / columns) * cell];
    path += `M${short(x)} ${short(y)}h${short(cell)}v${short(cell)}h${short(-cell)}z`;
  }
  return path;
}

export function gridLines({ rows, columns }: Grid, cell: number): string {
  const across = Array.from({ length: columns - 1 }, (_, i) => `M${short((i + 1) * cell)} 0V${short(rows * cell)}`);
  const down = Array.from({ length: rows - 1 }, (_, i) => `M0 ${short((i + 1) * cell)}H${short(columns * cell)}`);
  return `<path class="grid" d="${[...across, ...down].join("")}"/>`;
}
