#!/usr/bin/env node
// The command. It runs dist/; in a checkout of the sources it builds dist/ first where that is missing or out of date.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 9)) {
  console.error(`ijepa needs Node 20.9 or later; this is ${process.versions.node}.`);
  process.exit(2);
}

// `ijepa … | head` closes the pipe early; that is no error.
process.stdout.on("error", (error) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

const isCheckout = existsSync(fileURLToPath(new URL("../compiler", import.meta.url)));
try {
  if (isCheckout) await (await import("../scripts/build.mjs")).buildIfStale();
  const { main } = await import("../dist/ijepa.js");
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(process.env.IJEPA_STACK ? error : `ijepa: ${error instanceof Error ? error.message : error}`);
  console.error("This is a fault of ijepa or of its installation, not of your spec. IJEPA_STACK=1 shows where.");
  process.exitCode = 2;
}
