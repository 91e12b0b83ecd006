/**
 * Every error that a user of a generated trainer can meet, by family: one function per message, which says what is wrong,
 * where, what was found and what would be right. Our own mistakes throw Error("internal: …") instead.
 * docs/reference/errors.md is generated from these files: the comment above a function says there when its error occurs.
 */
export * from "./errors/checkpoint";
export * from "./errors/data";
export * from "./errors/data-files";
export * from "./errors/decode";
export * from "./errors/engine";
export * from "./errors/evaluation";
export * from "./errors/loggers";
export * from "./errors/rank-faults";
export * from "./errors/ranks";
export * from "./errors/replay";
export * from "./errors/run";
export * from "./errors/training";
export * from "./errors/user-error";
