import { describe, expect, test } from "vitest";
import { collate, collateRandom, collatorSizes } from "../../../runtime/masks/reference";
import { Mt19937 } from "../../../runtime/random/mt19937";
import { collatorSettings, officialMasks, officialSettings } from "../../support/official-masks";

describe.each(officialSettings)("%s", (_, setting) => {
  const settings = collatorSettings(setting);

  test("sizes of all recorded batches", () => {
    const got = setting.stats.block_sizes_by_counter.map((_, counter) => {
      const { target, context } = collatorSizes(settings, new Mt19937(counter));
      return [target.height, target.width, context.height, context.width];
    });
    expect(got).toEqual(setting.stats.block_sizes_by_counter);
  });

  test("recorded masks, index for index", () => {
    const { main_rng_seed, batch_size, batches } = setting.examples;
    const positions = new Mt19937(main_rng_seed);
    expect(batches.length).toBeGreaterThan(0);
    for (const { counter, enc, pred } of batches) {
      const { context, target } = collate(settings, batch_size, { sizes: new Mt19937(counter), positions });
      expect(context).toEqual(enc);
      expect(target).toEqual(pred);
    }
  });
});

describe("random masks", () => {
  const { params, n_keep_by_counter, examples } = officialMasks.random_collator;
  const settings = { patches: (params.input_size / params.patch_size) ** 2, ratio: params.ratio };

  test("patches kept", () => {
    const got = n_keep_by_counter.map((_, counter) => {
      const generators = { sizes: new Mt19937(counter), positions: new Mt19937(0) };
      return collateRandom(settings, 1, generators).context[0]?.length;
    });
    expect(got).toEqual(n_keep_by_counter);
  });

  test("recorded masks, index for index", () => {
    const positions = new Mt19937(examples.main_rng_seed);
    for (const { counter, enc, pred } of examples.batches) {
      const { context, target } = collateRandom(settings, examples.batch_size, {
        sizes: new Mt19937(counter),
        positions,
      });
      expect([context]).toEqual(enc);
      expect([target]).toEqual(pred);
    }
  });
});

test("a block that can never hold enough patches is refused instead of drawn for ever", () => {
  const settings = {
    grid: { height: 4, width: 4 },
    contextScale: [0.2, 0.2],
    contextCount: 1,
    targetScale: [0.2, 0.2],
    targetAspect: [1, 1],
    targetCount: 1,
    minKeep: 10,
    allowOverlap: false,
  } as const;
  expect(() => collate(settings, 1, { sizes: new Mt19937(0), positions: new Mt19937(0) })).toThrow("internal: a block");
});
