/** Before every test file. */
import fc from "fast-check";
import { testSeed } from "./support/seed";

fc.configureGlobal({ seed: testSeed });
