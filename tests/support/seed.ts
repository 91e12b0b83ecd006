/**
 * The seed of random tests. The same in every run, so that a failure is one of the change at hand; IJEPA_TEST_SEED=N looks
 * elsewhere, and IJEPA_TEST_SEED=random somewhere new each time. Tests print it where they fail.
 */
const wanted = process.env.IJEPA_TEST_SEED ?? "1319932300";

export const testSeed = wanted === "random" ? Math.floor(Math.random() * 2 ** 31) : Number(wanted);
