/** Builds the drivers of the named experiments and prints where they lie: `npx tsx bench/build-drivers.ts tiny16`. */
import { buildDriver } from "./build";

for (const experiment of process.argv.slice(2)) console.log(await buildDriver(experiment));
