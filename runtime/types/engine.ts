/** The same of the engine that main.ts names. */
import type { CreateEngine } from "../engines/engine";

export declare const createEngine: CreateEngine;
