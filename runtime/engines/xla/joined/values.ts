/** Keys and values as the callbacks of a PJRT client take and give them. */
import type { Koffi, Pointer } from "../../koffi";
import { KEY_VALUE, type KeyValueCall } from "../pjrt/layout";
import { fixedBytes, textAt, wordsAt } from "../pjrt/struct";

/** Codes of absl's errors. */
export const ERRORS = { deadlineExceeded: 4, notFound: 5 } as const;

/** The argument of one call, in memory of the plugin. */
export interface Call {
  readonly key: string;
  word(field: number): bigint;
  /** Hands over a copy of the value. */
  give(value: Uint8Array): null;
  /** What the callback is to return. */
  failed(code: number, message: string): Pointer;
}

export interface Callbacks {
  register(kind: KeyValueCall, answer: (call: Call) => Pointer | null): Pointer;
  release(): void;
}

/** Of this thread: calls from any other thread are answered here, one at a time. */
export function callbacksOf(koffi: Koffi): Callbacks {
  const library = koffi.load(null);
  const malloc = library.func("void *malloc(size_t)");
  // Whoever has copied a value frees it: it lies in memory of the C library.
  const free = library.symbol("free");
  const callback = koffi.proto("void *PjrtKeyValueCallback(void *)");
  const failing = koffi.proto("void *PjrtCallbackError(int, const void *, size_t)");
  const registered: Pointer[] = [];
  const callOf = (kind: KeyValueCall, args: Pointer): Call => {
    const fields = KEY_VALUE[kind];
    const words = new BigUint64Array(koffi.view(args, fields.words * 8));
    const word = (field: number): bigint => words[field] ?? 0n;
    return {
      key: textAt(koffi, word(fields.key), word(fields.keySize)),
      word,
      give: (value) => {
        const memory = malloc(Math.max(value.length, 1)) as Pointer;
        if (value.length > 0) new Uint8Array(koffi.view(memory, value.length)).set(value);
        words[fields.given] = memory;
        words[fields.given + 1] = BigInt(value.length);
        words[fields.given + 2] = free;
        return null;
      },
      failed: (code, message) => {
        const text = fixedBytes(new TextEncoder().encode(message));
        // A pointer to a pointer to a function; what is decoded can be called.
        const [pointer = 0n] = wordsAt(koffi, word(fields.failing), 1);
        const make = koffi.decode(pointer, failing) as (code: number, text: bigint, size: number) => Pointer;
        return make(code, koffi.address(text), text.length);
      },
    };
  };
  return {
    register: (kind, answer) => {
      // A callback of this type is given one pointer.
      const pointer = koffi.register((args) => answer(callOf(kind, args as Pointer)), koffi.pointer(callback));
      registered.push(pointer);
      return pointer;
    },
    release: () => {
      for (const pointer of registered.splice(0)) koffi.unregister(pointer);
    },
  };
}
