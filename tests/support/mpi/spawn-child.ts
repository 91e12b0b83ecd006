/** `node spawn.cjs RANKS_FOLDER PROGRAM ARGS…`: runs a program as three ranks, as a trainer runs itself. */
import { spawnRanks } from "../../../runtime/ranks/spawn/spawn";

const [folder = "", ...command] = process.argv.slice(2);
spawnRanks({ ranks: 3, command: [process.execPath, ...command], variables: process.env, folder }).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);
