/** What a recorded function and its calls come to for onnxruntime, on a CPU and on a GPU. */
import type { HostArray } from "../engine";
import { inputOf } from "../inputs";
import type { Recording } from "./cut";
import { type Dim, resolveDim } from "./dims";
import { wordsOf } from "./lowering/words";
import type { ModelParts } from "./model";

import type { HostTensor, Session } from "./session";
import { allocate, pinned } from "./store";

export type Lengths = Readonly<Record<string, number>>;

export function modelOf({ name, nodes, state, inputs, lengths, outputs, gives, takes, shards }: Recording): ModelParts {
  return {
    name,
    // onnxruntime walks back from the last node of the file first: written backwards, it runs them in our order.
    nodes: [...nodes].reverse(),
    inputs: [...state.flatMap(({ input }) => input ?? []), ...inputs, ...lengths, ...takes],
    outputs: [...state.flatMap(({ output }) => output ?? []), ...outputs, ...gives, ...shards],
  };
}

/** An input as it was given, checked. */
export function inputTensor(
  { path, dtype, dims, value }: Recording["inputs"][number],
  given: ReadonlyMap<string, HostArray>,
  lengths: Lengths,
): HostTensor {
  const sizes = (all: readonly Dim[]): number[] => all.map((dim) => resolveDim(dim, lengths));
  const data = inputOf(given, { path, dtype, shape: sizes(dims) });
  const isInWords = value.type === "u32" && data instanceof Uint8Array;
  return { type: value.type, shape: sizes(value.dims), data: isInWords ? wordsOf(data) : data };
}

/** Lengths stay on the host: shapes are computed there. */
export function bindLengths(session: Pick<Session, "bindInput">, recording: Recording, lengths: Lengths): void {
  for (const { name, length } of recording.lengths) {
    const data = pinned(BigInt64Array.of(BigInt(resolveDim(length, lengths))));
    session.bindInput(name, { type: "i64", shape: [1], data });
  }
}

/** Memory on the host for what a call gives, by path. */
export function bindOutputs(
  session: Pick<Session, "bindOutput">,
  recording: Recording,
  lengths: Lengths,
): ReadonlyMap<string, HostArray> {
  return new Map(
    recording.outputs.map(({ path, name, value }) => {
      const shape = value.dims.map((dim) => resolveDim(dim, lengths));
      const data = allocate(shape.reduce((a, b) => a * b, 1));
      session.bindOutput(name, { type: "f32", shape, data });
      return [path, data];
    }),
  );
}
