/**
 * koffi, which calls functions of native libraries. Its settings hold for the whole process and only before the first
 * library is loaded, so whoever needs it takes it from here.
 */
import { requireExternal } from "./external";

export type Pointer = bigint;
export type Argument =
  | Pointer
  | number
  | string
  | null
  | ArrayBufferView
  | StructValue
  | readonly (string | bigint | number | null)[];

/** A struct of numbers that is passed by value. */
export type StructValue = Readonly<Record<string, number>>;

export interface Callable {
  (...args: readonly Argument[]): Pointer | string | number | null;
  async(...args: readonly [...Argument[], (error: Error | null, result: Pointer | null) => void]): void;
}

export interface Library {
  func(definition: string): Callable;
  /** Where a type is one that `struct` made. */
  func(name: string, result: string, parameters: readonly (string | object)[]): Callable;
  /** Where an exported variable lies. Throws where there is none of this name. */
  symbol(name: string): Pointer;
}

/** The part of koffi's interface that is used here; its own types are full of `any`. */
export interface Koffi {
  config(settings: Readonly<Record<string, number>>): void;
  /** Null: the program itself, with the libraries that it was started with. */
  load(path: string | null): Library;
  proto(definition: string): object;
  array(type: string, length: number): object;
  struct(members: Readonly<Record<string, string>>): object;
  decode(pointer: Pointer, type: object): unknown;
  address(buffer: ArrayBufferView | ArrayBuffer): Pointer;
  /** The memory itself, not a copy. */
  view(pointer: Pointer, bytes: number): ArrayBuffer;
  pointer(type: object): object;
  register(callback: (...args: readonly unknown[]) => unknown, type: object): Pointer;
  unregister(callback: Pointer): void;
}

/** Calls run on stacks of koffi's own; onnxruntime needs more than its 128 KiB, and XLA's compiler more than its 2 MiB. */
const STACK_BYTES = 16 * 2 ** 20;

let loaded: Koffi | undefined;

/** Throws UserError R101 or R102 where it is missing or does not load. */
export function loadKoffi(): Koffi {
  if (loaded !== undefined) return loaded;
  // koffi has these members by its own documentation.
  const koffi = requireExternal("koffi") as Koffi;
  koffi.config({ sync_stack_size: STACK_BYTES, async_stack_size: STACK_BYTES, resident_async_pools: 1 });
  loaded = koffi;
  return koffi;
}
