/** Specs that people mistype and machines mangle: each is valid, or is told what is wrong with it, and nothing ends in a stack. */
import { readFileSync } from "node:fs";
import { applyEdits, modify, type Node, parseTree } from "jsonc-parser";
import { describe, expect, it } from "vitest";
import { build } from "../../compiler/build";
import { specFromText } from "../../compiler/spec/load";
import type { Random } from "../../runtime/random/random";
import { fuzz, mutated } from "./fuzz";

const texts = [
  "experiments/quickstart.json",
  "experiments/official/in1k_vith14_ep300.json",
  "bench/experiments/tiny16.json",
].map((path) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8"));

function read(text: string): string {
  const loaded = specFromText({ text, file: "fuzz.json" });
  if (loaded.ok) return "valid";
  expect(loaded.diagnostics.length).toBeGreaterThan(0);
  for (const { code, what } of loaded.diagnostics) {
    expect(code).toMatch(/^E\d{3}$/);
    expect(what).not.toMatch(/internal:|undefined|\[object/);
  }
  return loaded.diagnostics[0]?.code ?? "";
}

/** What a value may become: of its own type and of every other, and what looks like code. */
const values: readonly unknown[] = [
  ...[0, -1, 1, 2, 3, 0.5, 1e-300, 1e300, 2 ** 31, 2 ** 53, -0, 1.5, 7, 16, 4096],
  ...[
    "",
    "a",
    "`${process.exit()}`",
    '"); process.exit(); ("',
    "*/ process.exit() /*",
    "../../x",
    "\u0000",
    "é\u202e",
    "constructor",
    "__proto__",
  ],
  ...[null, true, false, [], {}, [1], [0.2, 0.1], [0, 0], { size: "tiny" }, [[[[]]]]],
];

function pathsOf(node: Node | undefined, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (node === undefined) return [];
  const children = node.children ?? [];
  if (node.type === "object") {
    return children.flatMap((property) => {
      const [key, value] = property.children ?? [];
      const at = [...path, String(key?.value)];
      return [at, ...pathsOf(value, at)];
    });
  }
  return node.type === "array" ? children.flatMap((child, i) => [[...path, i], ...pathsOf(child, [...path, i])]) : [];
}

function edited(random: Random): string {
  let text = texts[random.integer(texts.length)] ?? "";
  for (let edits = 1 + random.integer(4); edits > 0; edits--) {
    const paths = pathsOf(parseTree(text));
    const path = [...(paths[random.integer(paths.length)] ?? ["name"])];
    if (random.integer(8) === 0) path.push(String(values[15 + random.integer(10)] ?? "x"));
    const value = random.integer(8) === 0 ? undefined : values[random.integer(values.length)];
    try {
      text = applyEdits(text, modify(text, path, value, {}));
    } catch {
      // A path below a number: nothing to change there.
    }
  }
  return text;
}

describe("specs", () => {
  fuzz("with other bytes", {
    cases: 400,
    make: (random) =>
      Buffer.from(mutated(Buffer.from(texts[random.integer(texts.length)] ?? ""), random)).toString("utf8"),
    read,
    show: (text) => JSON.stringify(text),
  });

  fuzz("with other values", {
    cases: 60,
    make: edited,
    read: (text) => {
      const outcome = read(text);
      if (outcome !== "valid") return outcome;
      const loaded = specFromText({ text, file: "fuzz.json" });
      // What is valid can be planned, and its step be made.
      if (loaded.ok) build(loaded);
      return outcome;
    },
    show: (text) => text,
  });

  it.each([
    ["brackets without an end", "[".repeat(100_000)],
    ["a number of many digits", `{"seed": ${"9".repeat(5000)}}`],
    ["a key of JavaScript's own", '{"__proto__": {"name": "x"}, "constructor": 1}'],
    ["no text at all", "\u0000\u0001"],
    ["a comment that has only begun", '{"seed": 1}\n/*'],
    ["the same key twice", '{"seed": 1, "seed": 2}'],
  ])("once found: %s", (_, text) => {
    expect(read(text)).toMatch(/^E\d{3}$/);
  });
});
