import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PickleError, type TorchValue, unpickle } from "../../../../runtime/checkpoint/torch/pickle";

const bytesOf = (text: string): Uint8Array => Buffer.from(text, "latin1");

const made: readonly [what: string, pickle: string, value: TorchValue][] = [
  ["nothing", "\x80\x02N.", null],
  ["true and false in a tuple", "\x80\x02\x88\x89\x86.", [true, false]],
  ["small numbers", "\x80\x02(K\xffM\xff\xffJ\xfe\xff\xff\xfft.", [255, 65535, -2]],
  ["long numbers", "\x80\x02\x8a\x02\xff\x7f.", 32767],
  ["a long zero", "\x80\x02\x8a\x00.", 0],
  ["a negative long number", "\x80\x02\x8a\x01\xff.", -1],
  ["a number beyond 2⁵³", "\x80\x02\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x40.", 2n ** 62n],
  ["a float", "\x80\x02G?\xf0\x00\x00\x00\x00\x00\x00.", 1],
  ["text", "\x80\x02X\x03\x00\x00\x00\xe2\x82\xac.", "€"],
  ["a list", "\x80\x02](K\x01K\x02e.", [1, 2]],
  ["a dict", "\x80\x02}(K\x01K\x02K\x03K\x04u.", new Map([[1, 2], [3, 4]])], // biome-ignore format: pairs
  ["what is remembered", "\x80\x02K\x07q\x05h\x05\x86.", [7, 7]],
  ["an ordered dict with attributes", "\x80\x02ccollections\nOrderedDict\n)R}b.", new Map()],
  ["protocol 4", "\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00\x8c\x01a\x94.", "a"],
  ["a dict with the name of a prototype", "\x80\x02}X\x09\x00\x00\x00__proto__K\x01s.", new Map([["__proto__", 1]])],
];

const refused: readonly [what: string, pickle: string, says: RegExp][] = [
  ["a function", "\x80\x02cposix\nsystem\nX\x02\x00\x00\x00ls\x85R.", /the Python object posix\.system/],
  [
    "a function by its name on the stack",
    "\x80\x04\x8c\x08builtins\x8c\x04eval\x93.",
    /the Python object builtins\.eval/,
  ],
  ["a call of a type", "\x80\x02ctorch\nFloatStorage\n)R.", /a call of torch\.FloatStorage/],
  ["a call of a number", "\x80\x02K\x01)R.", /a call of something unknown/],
  ["a property of every object", "\x80\x02ccollections\ntoString\n.", /the Python object collections\.toString/],
  ["attributes of a list", "\x80\x02]}b.", /attributes of something that is no dict/],
  ["a new object", "\x80\x02ccollections\nOrderedDict\n)\x81.", /the pickle instruction 0x81/],
  ["a text that is not there", "\x80\x02X\xff\xff\xff\xff.", /ends in the middle/],
  ["no end", "\x80\x02N", /ends in the middle/],
  ["nothing", "", /ends in the middle/],
  ["more than there is", "\x80\x02\x86.", /takes what is not there/],
  ["what was not remembered", "\x80\x02h\x05.", /did not remember/],
  [
    "a storage of another kind",
    "\x80\x02(U\x07storageccollections\nOrderedDict\nU\x010U\x03cpuK\x04tQ.",
    /a storage of the type/,
  ],
  [
    "a tensor that reaches beyond its storage",
    "\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((U\x07storagectorch\nFloatStorage\nU\x010U\x03cpuK\x04tQK\x01K\x04\x85K\x01\x85\x89NtR.",
    /reaches beyond its storage/,
  ],
];

/** What a ZIP archive of some kilobytes can carry. */
const bombs: readonly [what: string, part: string, says: RegExp][] = [
  ["lists", "]", /more than 10000 values at a time/],
  ["dicts", "}", /more than 10000 values at a time/],
  ["lists that are dropped", "]0", /more than 1000000 lists, tuples and dicts/],
  ["lists in lists", "](]]]]]]]]e0", /more than 1000000 lists, tuples and dicts/],
  ["tuples of one", "]\x850", /more than 1000000 lists, tuples and dicts/],
];

const rememberedForEver = (): Uint8Array => {
  const bytes = new Uint8Array(6_000_000 * 2);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i * 7 + 7 < bytes.length; i++) {
    bytes.set([0x4e, 0x72], i * 7);
    view.setUint32(i * 7 + 2, i, true);
    bytes.set([0x30], i * 7 + 6);
  }
  return bytes;
};

describe("pickles", () => {
  it.each(bombs)("refuses 30 MB of %s, and soon", (_, part, says) => {
    expect(() => unpickle(bytesOf(`\x80\x02${part.repeat(30_000_000 / part.length)}`))).toThrow(says);
  });

  it("refuses what remembers without end", () => {
    expect(() => unpickle(rememberedForEver())).toThrow(/more than 1000000 remembered values/);
  });

  it.each(made)("makes %s", (_, pickle, value) => {
    expect(unpickle(bytesOf(pickle))).toEqual(value);
  });

  it.each(refused)("refuses %s", (_, pickle, says) => {
    expect(() => unpickle(bytesOf(pickle))).toThrow(says);
    expect(() => unpickle(bytesOf(pickle))).toThrow(PickleError);
  });

  it("makes a value or refuses, whatever is changed in a checkpoint's pickle", () => {
    const archive = readFileSync(new URL("./golden/official.pth.tar", import.meta.url));
    const start = archive.indexOf("\x80\x02}q", 0, "latin1");
    const pickle = archive.subarray(start, archive.indexOf("u.PK", start, "latin1") + 2);
    expect(unpickle(pickle)).toBeInstanceOf(Map);
    const change = fc.record({ at: fc.nat(pickle.length - 1), to: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const changed = Uint8Array.from(pickle);
        for (const { at, to } of changes) changed[at] = to;
        try {
          unpickle(changed);
        } catch (error) {
          if (!(error instanceof PickleError)) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });
});
