/** Options by name, as clients and topologies take them. */
import type { Koffi } from "../../koffi";
import { NAMED_VALUE, NAMED_VALUE_TYPES } from "./layout";
import { textBytes, words } from "./struct";

/** A number that is no integer is a float; lists are of integers. */
export type NamedValues = Readonly<Record<string, number | string | boolean | readonly number[]>>;

/** Their list in memory, which has to be kept with the rest until the plugin is done with it. */
export function namedValues(koffi: Koffi, options: NamedValues) {
  const entries = Object.entries(options);
  const list = words(Math.max(1, entries.length * NAMED_VALUE.words));
  const keep: (Uint8Array | BigUint64Array)[] = [];
  const addressOf = (text: string): bigint => {
    const bytes = textBytes(text);
    keep.push(bytes);
    return koffi.address(bytes);
  };
  entries.forEach(([name, value], i) => {
    const at = i * NAMED_VALUE.words;
    const set = (field: number, word: bigint): void => {
      list[at + field] = word;
    };
    set(0, BigInt(NAMED_VALUE.words * 8));
    set(NAMED_VALUE.name, addressOf(name));
    set(NAMED_VALUE.nameSize, BigInt(new TextEncoder().encode(name).length));
    if (typeof value === "string") {
      set(NAMED_VALUE.type, BigInt(NAMED_VALUE_TYPES.text));
      set(NAMED_VALUE.value, addressOf(value));
      set(NAMED_VALUE.valueSize, BigInt(new TextEncoder().encode(value).length));
    } else if (typeof value === "boolean") {
      set(NAMED_VALUE.type, BigInt(NAMED_VALUE_TYPES.boolean));
      set(NAMED_VALUE.value, value ? 1n : 0n);
      set(NAMED_VALUE.valueSize, 1n);
    } else if (typeof value === "object") {
      const integers = words(value.length);
      integers.set(value.map(BigInt));
      keep.push(integers);
      set(NAMED_VALUE.type, BigInt(NAMED_VALUE_TYPES.integers));
      set(NAMED_VALUE.value, koffi.address(integers));
      set(NAMED_VALUE.valueSize, BigInt(value.length));
    } else if (!Number.isInteger(value)) {
      set(NAMED_VALUE.type, BigInt(NAMED_VALUE_TYPES.float));
      set(NAMED_VALUE.value, BigInt(new Uint32Array(Float32Array.of(value).buffer)[0] ?? 0));
      set(NAMED_VALUE.valueSize, 1n);
    } else {
      set(NAMED_VALUE.type, BigInt(NAMED_VALUE_TYPES.integer));
      set(NAMED_VALUE.value, BigInt.asUintN(64, BigInt(value)));
      set(NAMED_VALUE.valueSize, 1n);
    }
  });
  return { list, count: BigInt(entries.length), keep };
}
