/**
 * Builds the drivers of experiments and prints where they lie:
 * `npx tsx bench/build-drivers.ts bench/experiments/tiny16.json`.
 */
import { buildDriver } from "./build";

for (const file of process.argv.slice(2)) console.log(await buildDriver(file));
