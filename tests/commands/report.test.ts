/** `ijepa report` and `ijepa runs` as a person calls them. */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { ijepa } from "../support/command";
import { makeRun, runsFolder } from "../tools/report/made-runs";

const folder = runsFolder();
const run = makeRun(folder, "a");
const other = makeRun(folder, "b", { change: { seed: 4 } });
afterAll(() => rmSync(folder, { recursive: true }));

describe("ijepa report", () => {
  it("writes the page of a run", async () => {
    const { code, out } = await ijepa("report", run, "--images", "0");
    expect(code).toBe(0);
    expect(out).toMatch(/report\.html \(0\.\d\d MB\): open it in a browser\n$/);
    expect(readFileSync(join(run, "report.html"), "utf8")).toContain("<title>quickstart</title>");
  });

  it("draws the masks of a spec, changed by --set", async () => {
    const out = join(folder, "masks.html");
    const spec = "experiments/quickstart.json";
    expect((await ijepa("report", "--masks", spec, "--set", "masking.targets.count=2", "--out", out)).code).toBe(0);
    expect(readFileSync(out, "utf8")).toContain("context patches, 2 targets of");
  });

  it.each([
    [[], "E473"],
    [[run, "--images", "many"], "E901"],
    [[run, "--set", "seed=1"], "E901"],
    [[run, "--masks", "experiments/quickstart.json"], "E901"],
    [[join(folder, "none")], "E470"],
    [[run, "--out", join(folder, "no", "page.html"), "--images", "0"], "R142"],
  ])("%j is refused with %s, code 2", async (args, wanted) => {
    const { code, err } = await ijepa("report", ...args);
    expect([code, err]).toEqual([2, expect.stringContaining(wanted)]);
    expect(err).not.toMatch(/\n +at /);
  });

  it("says what is wrong with the spec of masks, code 1", async () => {
    const spec = join(folder, "wrong.json");
    writeFileSync(spec, '{ "image": { "size": "large" } }');
    const { code, err } = await ijepa("report", "--masks", spec);
    expect([code, err]).toEqual([1, expect.stringContaining("image.size")]);
    expect(existsSync("wrong-masks.html")).toBe(false);
  });
});

describe("ijepa runs", () => {
  it("lists a folder, shows one run, compares two", async () => {
    expect((await ijepa("runs", folder)).out).toMatch(/folder +state +step/);
    expect((await ijepa("runs", run)).out).toContain("raw pixels (16×16)");
    expect((await ijepa("runs", run, other)).out).toMatch(/seed +0 +4/);
  });

  it("gives programs JSON", async () => {
    const { runs } = JSON.parse((await ijepa("runs", folder, "--json")).out);
    expect(runs.map(({ state, cost }: { state: string; cost: { images: number } }) => [state, cost.images])).toEqual([
      ["finished", 320],
      ["finished", 320],
    ]);
  });

  it("tells of runs that cannot be read beside the others", async () => {
    const torn = makeRun(folder, "more/torn");
    makeRun(folder, "more/whole");
    writeFileSync(join(torn, "log.jsonl"), '{"event":');
    const listed = await ijepa("runs", join(folder, "more"));
    expect([listed.code, listed.out, listed.err]).toEqual([
      0,
      expect.stringMatching(/whole +finished/),
      expect.stringContaining(`${torn} E471`),
    ]);
    const json = JSON.parse((await ijepa("runs", join(folder, "more"), "--json")).out);
    expect(json.diagnostics).toMatchObject([{ code: "E471", file: torn }]);
    expect((await ijepa("runs", join(folder, "more/whole"), torn)).code).toBe(2);
    rmSync(join(folder, "more"), { recursive: true });
  });

  it("says where there is none", async () => {
    const { code, err } = await ijepa("runs", join(folder, "none"));
    expect([code, err]).toEqual([2, expect.stringContaining("E474")]);
  });
});
