/** PJRT_Program: a program as a plugin takes it. */
import type { Koffi } from "../../koffi";
import { PROGRAM } from "./layout";
import { struct, textBytes } from "./struct";

/** Of StableHLO text. All of it has to be kept until the plugin is done with it. */
export function programStruct(koffi: Koffi, text: string) {
  // XLA ends the process on an empty text.
  if (text.trim() === "") throw new Error("internal: an empty program");
  const code = textBytes(text);
  const format = textBytes("mlir");
  return {
    struct: struct({
      [PROGRAM.code]: koffi.address(code),
      [PROGRAM.codeSize]: BigInt(code.length),
      [PROGRAM.format]: koffi.address(format),
      [PROGRAM.formatSize]: BigInt(format.length),
    }),
    code,
    format,
  };
}
