/**
 * What an engine's library throws, as an error for a person: out of memory, a device that is lost, a program that is
 * refused, or what it says. Libraries give no codes for them, so their words decide; fault.test.ts has what each was
 * seen to say.
 */
import { deviceLost, engineFailed, outOfMemory, programRefused, UserError } from "../errors";
import { messageOf } from "../exceptions";

/** XLA and TensorFlow; onnxruntime; WebGPU; JavaScript; WebAssembly. */
const memoryWords = [
  /RESOURCE_EXHAUSTED|\bOOM\b|out of memory|not enough memory|bad_alloc/i,
  /Failed to allocate memory|smaller than requested bytes/,
  /exceeds the max(imum)? (storage )?buffer|max(Storage)?BufferBindingSize|Failed to create (a )?buffer/i,
  /Array buffer allocation failed|Invalid typed array length|Invalid array buffer length/,
  /Cannot enlarge memory|could not allocate memory|WebAssembly\.Memory\.grow/,
];

const lostWords = [
  /device (was|is|has been) lost|DeviceLost|lost device/i,
  /CUDA_ERROR_(ILLEGAL_ADDRESS|LAUNCH_FAILED|ECC_UNCORRECTABLE|HARDWARE_STACK_ERROR|DEVICE_UNAVAILABLE|SYSTEM_NOT_READY|UNKNOWN)/,
  /illegal memory access|unspecified launch failure|uncorrectable ECC|fallen off the bus|hipErrorIllegalAddress/i,
  /VK_ERROR_DEVICE_LOST|DXGI_ERROR_DEVICE_(REMOVED|HUNG|RESET)/,
];

/** Bytes that were asked for, as far as the words tell. */
const wantedWords = [
  /alloc\w*(?: memory)?(?: for requested buffer)?(?: of size)?:? (\d+)(?: bytes|\b)/i,
  /requested bytes of (\d+)/,
  /[Bb]uffer size \(?(\d+)/,
];

export interface Fault {
  /** What the engine was doing, after "could not". */
  readonly what: string;
  readonly cause: unknown;
  /** It compiled a program. */
  readonly compiles?: boolean;
}

/** The error to throw. What is an error for a person already, or a fault of ours, stays as it is. */
export function faultOf({ what, cause, compiles = false }: Fault): unknown {
  const why = messageOf(cause);
  if (cause instanceof UserError || why.startsWith("internal:")) return cause;
  const has = (words: readonly RegExp[]): boolean => words.some((word) => word.test(why));
  if (has(memoryWords)) return outOfMemory({ what, why: firstLine(why), wantedBytes: wantedIn(why), cause });
  if (has(lostWords)) return deviceLost({ what, why: firstLine(why), cause });
  return compiles ? programRefused({ what, why, cause }) : engineFailed({ what, why, cause });
}

function wantedIn(text: string): number | undefined {
  const found = wantedWords.map((words) => words.exec(text)?.[1]).find((digits) => digits !== undefined);
  return found === undefined ? undefined : Number(found);
}

/** XLA adds a table of all its buffers. */
const firstLine = (text: string): string => (text.split("\n", 1)[0] ?? text).replace(/\.$/, "");
