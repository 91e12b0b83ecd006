/** A plugin that is loaded: the functions of its table, its version and what it says of itself. */

import { messageOf } from "../../../exceptions";
import { type Callable, type Koffi, type Library, loadKoffi, type Pointer } from "../../koffi";
import { API, ARGS, FUNCTIONS, type FunctionName, NAMED_VALUE, NAMED_VALUE_TYPES, OPTIONAL } from "./layout";
import { struct, textAt, wordsAt } from "./struct";

/** Versions of the interface before this one were never tried. */
export const OLDEST_MINOR = 81;

/** An error that the plugin reports, with its own words. */
export class PjrtError extends Error {
  override readonly name = "PjrtError";
}

/** The file is no plugin, or none that can be used: `kind` says why. */
export class PluginError extends Error {
  override readonly name = "PluginError";
  constructor(
    readonly kind: "not loaded" | "no entry" | "too old",
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

type Fields<F extends FunctionName> = { readonly [K in keyof (typeof ARGS)[F]]?: bigint };
type Got<F extends FunctionName> = { readonly [K in keyof (typeof ARGS)[F]]: bigint };

export type AttributeValue = string | bigint | readonly bigint[] | number | boolean;

export interface Pjrt {
  readonly koffi: Koffi;
  readonly path: string;
  readonly version: { readonly major: number; readonly minor: number };
  /** E.g. xla_version, stablehlo_current_version [1, 20, 0]. */
  readonly attributes: ReadonlyMap<string, AttributeValue>;
  has(name: FunctionName): boolean;
  /** Calls a function; gives the fields of its struct as it left them. Throws PjrtError. */
  call<F extends FunctionName>(name: F, fields: Fields<F>): Got<F>;
  /**
   * The same on another thread. What the fields point to has to be kept until the promise settles: `keep` is held that
   * long.
   */
  callAsync<F extends FunctionName>(name: F, fields: Fields<F>, keep?: unknown): Promise<Got<F>>;
  /** Waits for an event and destroys it. */
  wait(event: Pointer, keep?: unknown): Promise<void>;
  text(pointer: Pointer, size: bigint): string;
}

/** By path: koffi unloads a library that nobody refers to, and XLA cannot be unloaded. */
const loaded = new Map<string, { readonly pjrt: Pjrt; readonly library: Library }>();

/** Throws PluginError. */
export function loadPjrt(path: string): Pjrt {
  const known = loaded.get(path);
  if (known !== undefined) return known.pjrt;
  const koffi = loadKoffi();
  let library: Library;
  try {
    library = koffi.load(path);
  } catch (cause) {
    throw new PluginError("not loaded", messageOf(cause), { cause });
  }
  pin(koffi, path);
  let entry: Callable;
  try {
    entry = library.func("void *GetPjrtApi()");
  } catch (cause) {
    throw new PluginError("no entry", "it has no function GetPjrtApi", { cause });
  }
  const pjrt = open(koffi, path, entry() as Pointer);
  loaded.set(path, { pjrt, library });
  return pjrt;
}

/** By <dlfcn.h> of Linux and of macOS: now, and never to be unloaded. */
const NO_DELETE: Readonly<Partial<Record<NodeJS.Platform, number>>> = { linux: 0x1002, darwin: 0x82 };

/**
 * koffi unloads a library where Node ends, and XLA has functions that the C library calls after that: the process would end
 * with a crash, with all of its work done.
 */
function pin(koffi: Koffi, path: string): void {
  const mode = NO_DELETE[process.platform];
  if (mode === undefined) return;
  try {
    koffi.load(null).func("void *dlopen(const char *, int)")(path, mode);
  } catch {
    // A C library that does not show its loader.
  }
}

function open(koffi: Koffi, path: string, table: Pointer | null): Pjrt {
  if (table === null) throw new PluginError("no entry", "its function GetPjrtApi gives nothing");
  const head = wordsAt(koffi, table, API.firstFunction);
  const versionWord = head[API.version] ?? 0n;
  const version = { major: Number(versionWord & 0xffffffffn), minor: Number(versionWord >> 32n) };
  const text = `${version.major}.${version.minor}`;
  if (version.major !== 0 || version.minor < OLDEST_MINOR) throw new PluginError("too old", text);
  const count = Number(head[API.structSize] ?? 0n) / 8 - API.firstFunction;
  const pointers = wordsAt(koffi, table + BigInt(API.firstFunction * 8), count);
  const prototype = functionType(koffi);
  const functions = new Map<string, Callable>();
  for (const [name, position] of Object.entries(FUNCTIONS)) {
    const pointer = pointers[position] ?? 0n;
    // A decoded pointer to a function is one that can be called.
    if (pointer !== 0n) functions.set(name, koffi.decode(pointer, prototype) as Callable);
    else if (!isOptional(name)) throw new PluginError("too old", `${text}, which has no PJRT_${name}`);
  }
  const find = (name: FunctionName): Callable => {
    const found = functions.get(name);
    if (found === undefined) throw new PjrtError(`the plugin has no PJRT_${name}`);
    return found;
  };
  const argumentsOf = (name: FunctionName, fields: Readonly<Record<string, bigint | undefined>>) => {
    const positions: Readonly<Record<string, number>> = ARGS[name];
    return struct(
      Object.fromEntries(
        Object.entries(fields).flatMap(([field, value]): [number, bigint][] => {
          const position = positions[field];
          return position === undefined || value === undefined ? [] : [[position, value]];
        }),
      ),
    );
  };
  const resultOf = <F extends FunctionName>(name: F, args: BigUint64Array): Got<F> =>
    // One value for each name of the table.
    Object.fromEntries(Object.entries(ARGS[name]).map(([field, at]) => [field, args[at] ?? 0n])) as Got<F>;
  const check = (error: Pointer | null): void => {
    if (error === null || error === 0n) return;
    const message = argumentsOf("Error_Message", { error });
    find("Error_Message")(message);
    const { message: at, size } = resultOf("Error_Message", message);
    const words = textAt(koffi, at, size);
    find("Error_Destroy")(argumentsOf("Error_Destroy", { error }));
    throw new PjrtError(words);
  };
  const call = <F extends FunctionName>(name: F, fields: Fields<F>): Got<F> => {
    const args = argumentsOf(name, fields);
    check(find(name)(args) as Pointer | null);
    return resultOf(name, args);
  };
  const callAsync = <F extends FunctionName>(name: F, fields: Fields<F>, keep?: unknown): Promise<Got<F>> =>
    new Promise((resolve, reject) => {
      const args = argumentsOf(name, fields);
      find(name).async(args, (failure, error) => {
        held.delete(args);
        try {
          if (failure !== null) throw failure;
          check(error);
          resolve(resultOf(name, args));
        } catch (cause) {
          reject(cause);
        }
      });
      held.set(args, keep);
    });
  call("Plugin_Initialize", {});
  return {
    koffi,
    path,
    version,
    attributes: attributesOf(koffi, call("Plugin_Attributes", {})),
    has: (name) => functions.has(name),
    call,
    callAsync,
    wait: async (event, keep) => {
      try {
        await callAsync("Event_Await", { event }, keep);
      } finally {
        call("Event_Destroy", { event });
      }
    },
    text: (pointer, size) => textAt(koffi, pointer, size),
  };
}

let functionProto: object | undefined;

/** Names of types are koffi's for the whole process, and several plugins may be loaded in it: it is declared once. */
function functionType(koffi: Koffi): object {
  functionProto ??= koffi.proto("void *PjrtFunction(void *)");
  return functionProto;
}

/** What calls that are under way refer to, by their struct. */
const held = new Map<BigUint64Array, unknown>();

function isOptional(name: string): boolean {
  return [...OPTIONAL].some((optional) => optional === name);
}

function attributesOf(koffi: Koffi, list: Got<"Plugin_Attributes">): Map<string, AttributeValue> {
  const { words, name, nameSize, type, value, valueSize } = NAMED_VALUE;
  const count = Number(list.count);
  const all = wordsAt(koffi, list.attributes, count * words);
  return new Map(
    Array.from({ length: count }, (_, i): [string, AttributeValue] => {
      const entry = all.subarray(i * words, (i + 1) * words);
      const word = (at: number): bigint => entry[at] ?? 0n;
      const known: Readonly<Record<number, () => AttributeValue>> = {
        [NAMED_VALUE_TYPES.text]: () => textAt(koffi, word(value), word(valueSize)),
        [NAMED_VALUE_TYPES.integer]: () => BigInt.asIntN(64, word(value)),
        [NAMED_VALUE_TYPES.integers]: () => [...wordsAt(koffi, word(value), Number(word(valueSize)))],
        [NAMED_VALUE_TYPES.float]: () => new Float32Array(BigUint64Array.of(word(value)).buffer)[0] ?? Number.NaN,
        [NAMED_VALUE_TYPES.boolean]: () => (word(value) & 1n) === 1n,
      };
      const read = known[Number(word(type) & 0xffffffffn)];
      return [textAt(koffi, word(name), word(nameSize)), read === undefined ? "?" : read()];
    }),
  );
}
