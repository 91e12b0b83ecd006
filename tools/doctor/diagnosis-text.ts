/** A diagnosis for people: a table, and below it how to get what is not there. */
import { platform } from "node:os";
import pico from "picocolors";
import { packageRoot } from "../../compiler/emit/package-root";
import { turbojpegPackage } from "../../runtime/data/jpeg/turbojpeg";
import { installCommand } from "../../runtime/installs";
import type { Diagnosis, Finding, State } from "./diagnose";
import type { System } from "./system";

const HEADER = ["engine", "device", "check", "images/s", "memory", "with"] as const;

export function reportText({ version, system, findings }: Diagnosis, { colour }: { readonly colour: boolean }): string {
  const colours = pico.createColors(colour);
  const tint = (state: State, text: string): string =>
    state === "ok" ? colours.green(text) : state === "missing" ? colours.dim(text) : colours.red(text);
  const rows = findings.map(rowOf);
  const widths = HEADER.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[], state?: State): string =>
    cells
      .map((cell, i) => {
        const width = widths[i] ?? 0;
        const padded = i === 3 || i === 4 ? cell.padStart(width) : cell.padEnd(width);
        return i === 2 && state !== undefined ? tint(state, padded) : padded;
      })
      .join("  ")
      .trimEnd();
  const table = [colours.bold(line(HEADER)), ...findings.map(({ state }, i) => line(rows[i] ?? [], state))];
  const troubles = findings.flatMap((finding) => remarkOn(finding) ?? []);
  return `${[...systemLines(version, system), "", ...table, "", ...footnote(), ...troubles].join("\n")}\n`;
}

function systemLines(
  version: string,
  { node, os, processor, cores, memoryGiB, gpus, hasTurbojpeg }: System,
): readonly string[] {
  const seen = gpus.map(({ name, seenBy }) => `${name} (${seenBy})`);
  return [
    `ijepa ${version}, Node ${node}, ${os}`,
    `${processor}, ${cores} core${cores === 1 ? "" : "s"}, ${memoryGiB.toFixed(1)} GiB of memory`,
    seen.length === 0 ? "no GPU seen by nvidia-smi, vulkaninfo or on the PCI bus" : `GPU: ${seen.join("; ")}`,
    hasTurbojpeg
      ? "JPEG is decoded by libjpeg-turbo"
      : `JPEG is decoded by sharp, which takes four times as long as libjpeg-turbo (on Linux: ${installCommand([turbojpegPackage, "koffi"])})`,
  ];
}

function rowOf({ subject, state, measured, description, packages }: Finding): readonly string[] {
  const { engine, device } = subject;
  const there = packages.flatMap(({ name, version }) => (version === null ? [] : [`${name} ${version}`]));
  return [
    engine,
    device,
    state,
    measured === null ? "–" : measured.imagesPerS.toFixed(measured.imagesPerS < 10 ? 1 : 0),
    measured === null ? "–" : `${measured.peakMiB.toFixed(0)} MiB`,
    description ?? (there.length === 0 ? "–" : there.join(", ")),
  ];
}

function footnote(): readonly string[] {
  return [
    "A check is a few seconds of a step that is tiny: it compares losses with the float64 reference, not speeds.",
  ];
}

/** What to do about a finding; null where it is as good as it gets. */
function remarkOn({ subject, state, problem, packages }: Finding): string | null {
  const { engine, device, needs, install } = subject;
  const [best] = packages;
  const hasBest = best === undefined || best.version !== null;
  if (state === "ok" && hasBest) return null;
  const remark = state === "ok" ? `It runs, without ${best?.name}.` : shortened(problem ?? state);
  // A package that is there and says what is wrong (no GPU, say) is not mended by installing it again.
  const installs = state === "missing" || state === "crashed" || !hasBest;
  const commands = installs ? install.map((command) => `    ${commandFor(command)}`) : [];
  return ["", `${engine} ${device}: ${remark}`, `  ${needs}`, ...commands].join("\n");
}

/** Where the script of this package lies. */
export function commandFor(command: string): string {
  const root = packageRoot();
  const quoted = /^[\w./:\\-]+$/.test(root) ? root : platform() === "win32" ? `"${root}"` : `'${root}'`;
  return command.replace("$ijepa", quoted);
}

/** Native libraries can be wordy. */
function shortened(text: string): string {
  const lines = text.split("\n").slice(0, 6);
  return lines.map((line) => (line.length > 600 ? `${line.slice(0, 600)} …` : line)).join("\n  ");
}
