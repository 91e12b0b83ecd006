/**
 * runtime/trainer by its types alone: all that main.ts of a trainer is checked against, here and in projects that take
 * tsconfig.generated.json, so that neither needs the types of Node and of other packages.
 */
import type { Generated, Train } from "../contract";

export declare const train: Train;
export declare const generated: Generated;
