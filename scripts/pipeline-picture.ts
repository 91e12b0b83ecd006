/**
 * Draws docs/images/pipeline-light.svg and pipeline-dark.svg: the way from an experiment to a running trainer.
 * `npx tsx scripts/pipeline-picture.ts` draws them anew.
 */
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const width = 920;
const height = 468;
const sans = "system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif";
const mono = "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace";

interface Theme {
  readonly text: string;
  readonly quiet: string;
  readonly line: string;
  readonly band: string;
  readonly box: string;
  readonly file: string;
  readonly fileLine: string;
  readonly accent: string;
}

const themes: Readonly<Record<"light" | "dark", Theme>> = {
  light: {
    text: "#1f2328",
    quiet: "#59636e",
    line: "#9aa4af",
    band: "#f6f8fa",
    box: "#ffffff",
    file: "#ddf4ff",
    fileLine: "#54aeff",
    accent: "#0969da",
  },
  dark: {
    text: "#e6edf3",
    quiet: "#9198a1",
    line: "#59636e",
    band: "#151b23",
    box: "#0d1117",
    file: "#0f2a47",
    fileLine: "#316dca",
    accent: "#58a6ff",
  },
};

/** What each stage of the compiler does, in the order of compiler/compile.ts. */
const stages = [
  ["spec", "checked, defaults,", "located errors"],
  ["plan", "tokens, programs,", "schedules, cost"],
  ["model", "the paper as graphs", "of ops, shapes fixed"],
  ["optimize", "named passes, a", "verifier after each"],
  ["autodiff", "every backward pass,", "simplified in turn"],
  ["emit", "TypeScript that a", "person can read"],
  ["check", "tsc must agree", "with every shape"],
  ["bundle", "one file for", "plain node"],
] as const;

const trainer = [
  ["images, masks", "worker threads,", "counter-based random"],
  ["step.ts", "called once, recorded", "as one ONNX graph"],
  ["onnxruntime", "forward, backward,", "AdamW, EMA in place"],
  ["results", "probes, logs, exact", "checkpoints"],
] as const;

for (const [name, theme] of Object.entries(themes)) {
  writeFileSync(join(root, "docs", "images", `pipeline-${name}.svg`), picture(theme));
  console.log(`wrote docs/images/pipeline-${name}.svg`);
}

function picture(theme: Theme): string {
  const [boxWidth, boxHeight, step] = [152, 74, 170];
  const left = 30;
  const box = (x: number, y: number, [title, ...lines]: readonly [string, ...string[]]): string =>
    `<rect x="${x}" y="${y}" width="${boxWidth}" height="${boxHeight}" rx="8" fill="${theme.box}" stroke="${theme.line}"/>` +
    text(x + boxWidth / 2, y + 24, title, { bold: true }) +
    lines.map((line, i) => text(x + boxWidth / 2, y + 44 + 17 * i, line, { colour: theme.quiet })).join("");
  const column = (i: number): number => left + step * i;
  const arrow = (path: string): string =>
    `<path d="${path}" fill="none" stroke="${theme.line}" stroke-width="1.6" marker-end="url(#head)"/>`;
  const between = (i: number, y: number): string => arrow(`M${column(i) + boxWidth + 1} ${y}h${step - boxWidth - 6}`);
  const band = (y: number, h: number, command: string): string =>
    `<rect x="10" y="${y}" width="700" height="${h}" rx="12" fill="${theme.band}" stroke="${theme.line}" stroke-opacity="0.5"/>` +
    `<text x="692" y="${y + 25}" text-anchor="end" font-family="${mono}" font-size="13" font-weight="600" fill="${theme.accent}">${command}</text>`;
  const file = (y: number, h: number, title: string, lines: readonly string[]): string =>
    `<rect x="734" y="${y}" width="176" height="${h}" rx="8" fill="${theme.file}" stroke="${theme.fileLine}"/>` +
    `<text x="748" y="${y + 24}" font-family="${mono}" font-size="13" font-weight="600" fill="${theme.text}">${title}</text>` +
    lines
      .map(
        (line, i) =>
          `<text x="748" y="${y + 46 + 18 * i}" font-family="${mono}" font-size="12" fill="${theme.quiet}">${line}</text>`,
      )
      .join("");
  function text(x: number, y: number, content: string, { bold = false, colour = theme.text } = {}): string {
    return `<text x="${x}" y="${y}" text-anchor="middle" font-size="${bold ? 14.5 : 12.5}"${bold ? ' font-weight="600"' : ""} fill="${colour}">${content}</text>`;
  }
  const [top, first, second, below] = [86, 128, 226, 334];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="${sans}" role="img" aria-label="experiments/x.json goes through spec, plan, model, optimize, autodiff, emit, check and bundle to generated/x/, whose train.js reads images, draws masks, records step.ts as one ONNX graph and runs it.">
<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0.6L7.4 4L0 7.4z" fill="${theme.line}"/></marker></defs>
<rect x="10" y="8" width="196" height="40" rx="8" fill="${theme.file}" stroke="${theme.fileLine}"/>
<text x="26" y="33" font-family="${mono}" font-size="13" font-weight="600" fill="${theme.text}">experiments/x.json</text>
<text x="222" y="33" font-size="13" fill="${theme.quiet}">ViT size, patch, masks, schedules, batch, data: one file says it all</text>
${band(top, 232, "ijepa compile")}
${arrow(`M${column(0) + boxWidth / 2} 49V${first - 3}`)}
${stages.map((stage, i) => box(column(i % 4), i < 4 ? first : second, stage)).join("\n")}
${[0, 1, 2].flatMap((i) => [between(i, first + boxHeight / 2), between(i, second + boxHeight / 2)]).join("\n")}
${arrow(`M${column(3) + boxWidth / 2} ${first + boxHeight + 1}v11h${-3 * step}v9`)}
${file(top, 232, "generated/x/", ["step.ts", "parameters.ts", "experiment.ts", "features.ts", "main.ts", "graph.txt", "report.md", "manifest.json", "train.js"])}
${arrow(`M${column(3) + boxWidth + 1} ${second + boxHeight / 2}H731`)}
${arrow(`M822 ${top + 233}V${below + 64}H713`)}
${band(below, 126, "node generated/x/train.js")}
${trainer.map((part, i) => box(column(i), below + 38, part)).join("\n")}
${[0, 1, 2].map((i) => between(i, below + 38 + boxHeight / 2)).join("\n")}
</svg>
`;
}
