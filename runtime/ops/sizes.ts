/** Sizes that are made of others. Their types say of which: an axis of `times(3, D)` is no other axis of its length. */

declare const SUM: unique symbol;
declare const TIMES: unique symbol;
declare const OVER: unique symbol;

/** A + B */
export type Sum<A extends number, B extends number> = number & { readonly [SUM]: readonly [A, B] };
/** A · B */
export type Times<A extends number, B extends number> = number & { readonly [TIMES]: readonly [A, B] };
/** A / B */
export type Over<A extends number, B extends number> = number & { readonly [OVER]: readonly [A, B] };

/** As many rows as there are images for each of `Copies`; with one copy, the images themselves. */
export type Copied<Copies extends number, Rows extends number> = Copies extends 1 ? Rows : Times<Copies, Rows>;

// The brands are types alone, so a number has to be told to be one of them.
export const sum = <const A extends number, const B extends number>(a: A, b: B): Sum<A, B> => (a + b) as Sum<A, B>;
export const times = <const A extends number, const B extends number>(a: A, b: B): Times<A, B> =>
  (a * b) as Times<A, B>;
export const over = <const A extends number, const B extends number>(a: A, b: B): Over<A, B> => (a / b) as Over<A, B>;
