/** What a program that was compiled for this processor depends on. */
import { readFileSync } from "node:fs";
import { arch, availableParallelism, cpus, endianness } from "node:os";

/** The processor with everything that its instructions can, and how many of it a program may use. */
export function processorText(): string {
  return [arch(), endianness(), cpus()[0]?.model ?? "?", featuresText(), String(availableParallelism())].join("\n");
}

function featuresText(): string {
  try {
    // flags on x86, Features on arm64; all processors of a machine have the same.
    return /^(?:flags|Features)\s*:.*$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[0] ?? "";
  } catch {
    return "";
  }
}
