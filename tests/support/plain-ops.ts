/** Ops without the types of shapes and roles: tests of engines put together what is no network. */
import type { AnyTensor, OpName, Ops } from "../../runtime/ops/ops";

type Each<T> = { readonly [I in keyof T]: AnyTensor };
type Results<K extends OpName> = ReturnType<Ops[K]> extends readonly AnyTensor[] ? Each<ReturnType<Ops[K]>> : AnyTensor;

export type PlainOps = { readonly [K in OpName]: (...args: readonly (AnyTensor | object)[]) => Results<K> };

// the same functions: what they are handed is checked again when they run (runtime/ops/adapter.ts)
export const plainOps = (o: Ops): PlainOps => o as unknown as PlainOps;
