import { describe, expect, it } from "vitest";
import { type BundleInput, bundle, bundleMany } from "../../../compiler/bundle/bundle";

const input = (number: number): BundleInput => ({
  banner: `// trainer ${number}`,
  files: [
    {
      name: "main.ts",
      text: 'import { quoted } from "ijepa/runtime/report/command";\nimport { D } from "./experiment";\nconsole.log(quoted(String(D)));\n',
    },
    { name: "experiment.ts", text: `export const D = ${number};\n` },
  ],
});

describe("bundles", () => {
  it("of many are the same as of each alone, in their order", async () => {
    const inputs = Array.from({ length: 12 }, (_, index) => input(index));
    const many = await bundleMany(inputs);
    expect(many).toHaveLength(12);
    for (const [index, text] of many.entries()) {
      expect(text).toMatch(new RegExp(`^// trainer ${index}\\n`));
      expect(text).toContain(`var D = ${index};`);
    }
    expect(many[7]).toBe(await bundle(input(7)));
  });
});
