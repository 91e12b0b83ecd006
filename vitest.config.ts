import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { switchOffTelemetry } from "./runtime/engines/onnx/telemetry.ts";
import LongestFirst from "./tests/longest-first.ts";

// The processes of tests inherit it; in each of them `process.env` is a copy of vitest's.
switchOffTelemetry();

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    // These need programs that not every machine has, and minutes: `npm run test:slurm`, `test:h100`, `test:mpi`. `test:replicas` runs more of one file.
    exclude: process.env.IJEPA_INTEGRATION === undefined ? ["tests/integration/**"] : [],
    setupFiles: ["tests/setup.ts"],
    testTimeout: 60_000,
    // What is made before the tests may take as long: a busy machine is no fault.
    hookTimeout: 120_000,
    pool: "forks",
    // Of two cores vitest would use one, and most tests wait for a process of their own.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    sequence: { sequencer: LongestFirst },
  },
  resolve: {
    alias: [{ find: /^ijepa\/runtime\/(.*)$/, replacement: new URL("./runtime/$1.ts", import.meta.url).pathname }],
  },
});
