/** What a shared library says at its beginning: whether it can be one of this machine, before it is loaded. */
import { closeSync, openSync, readSync } from "node:fs";
import { messageOf } from "../../../exceptions";

/** e_machine of the ELF format, by the names that Node gives processors. */
const machines: Readonly<Record<string, number>> = { x64: 62, arm64: 183, ppc64: 21, s390x: 22, riscv64: 243 };
const names: Readonly<Record<number, string>> = {
  3: "32-bit x86",
  21: "PowerPC",
  22: "S/390",
  40: "32-bit ARM",
  62: "x86-64",
  183: "ARM64",
  243: "RISC-V",
};

/** A clause that says why a library cannot be loaded here; undefined where nothing speaks against it. */
export function whyNotLoadable(path: string, { platform, arch } = process): string | undefined {
  if (platform !== "linux") return undefined;
  const head = Buffer.alloc(20);
  try {
    const file = openSync(path, "r");
    try {
      readSync(file, head);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    return `it cannot be read (${messageOf(error)})`;
  }
  if (head.readUInt32BE(0) !== 0x7f454c46) return "it is no shared library of Linux (no ELF file)";
  const machine = head.readUInt16LE(18);
  const wanted = machines[arch];
  if (head[4] === 2 && (wanted === undefined || machine === wanted)) return undefined;
  return `it was made for ${names[machine] ?? `machine ${machine}`}, and this is ${names[wanted ?? -1] ?? arch}`;
}
