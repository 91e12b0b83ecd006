/**
 * What every page of ours has in common: one file that needs no network. Text of specs and runs goes through Handlebars'
 * escaping, or into the page as JSON without `<`; and the page allows no script and no style but its own, by their hashes.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import Handlebars from "handlebars";
import { packageRoot } from "../../compiler/emit/package-root";

/** Files below templates/. The script and style of all pages come before those of the page itself. */
export interface PageFiles {
  readonly template: string;
  readonly partials: Readonly<Record<string, string>>;
  readonly styles: readonly string[];
  readonly scripts: readonly string[];
}

export interface Page {
  /** The Content-Security-Policy that lets exactly `style` and `script` through. */
  readonly policy: string;
  readonly style: string;
  readonly script: string;
  readonly template: HandlebarsTemplateDelegate;
}

/** `images`: the page has pictures, each as data in its own address. `connects`: it asks the server that it came from. */
export function loadPage(files: PageFiles, { images = false, connects = false } = {}): Page {
  const ours = (name: string): string => readFileSync(join(packageRoot(), "templates", name), "utf8");
  const { resolve } = createRequire(import.meta.url);
  const library = (file: string): string => readFileSync(resolve(`uplot/dist/${file}`), "utf8");
  const handlebars = Handlebars.create();
  for (const [name, file] of Object.entries(files.partials)) handlebars.registerPartial(name, ours(file));
  const style = [library("uPlot.min.css"), ...["page/page.css", ...files.styles].map(ours)].join("\n");
  const script = [library("uPlot.iife.min.js"), ...["page/page.js", ...files.scripts].map(ours)].join("\n");
  const more = [images ? "; img-src data:" : "", connects ? "; connect-src 'self'" : ""].join("");
  return {
    policy: `default-src 'none'; style-src ${sourceHash(style)}; script-src ${sourceHash(script)}${more}`,
    style,
    script,
    template: handlebars.compile(ours(files.template), { strict: true, knownHelpersOnly: true }),
  };
}

const sourceHash = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** `<` could end the element or open a comment; the others end a line of script. */
export function jsonForPage(data: object): string {
  return JSON.stringify(data).replaceAll(
    /[<\u2028\u2029]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

// biome-ignore format: one list
/** Ten hues that differ on white and on black and for most who see few of them; beyond that, hues a golden angle apart. */
const hues = [
  "#3b7dd8", "#e8863a", "#3aa06a", "#d14d5a", "#9467c9", "#b08b2e", "#2fa6b3", "#d97bb6", "#8a8f98", "#9a6a4b",
];

/** Colour number `place` of `count`. */
export function hueOf(place: number, count: number): string {
  return count <= hues.length
    ? (hues[place] ?? "")
    : `hsl(${Math.round((place * 137.508) % 360)} ${place % 2 === 0 ? 62 : 48}% ${place % 3 === 0 ? 48 : 58}%)`;
}
