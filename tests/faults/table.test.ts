/** Every row of the table of faults has a test that injects it. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { type Fault, faults } from "./table";

it.each(faults.map((fault): Fault => fault))("$id is injected by a test", ({ test: [file, name] }) => {
  const text = readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
  expect(text).toContain(name);
});
