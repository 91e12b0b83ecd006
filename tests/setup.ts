/** Before every test file. */
import fc from "fast-check";
import { testSeed } from "./support/seed";

// In a GitHub workflow the command also prints annotations, on its own.
delete process.env.GITHUB_ACTIONS;

fc.configureGlobal({ seed: testSeed });
