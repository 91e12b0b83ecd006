/** What a recorded function and its calls come to for onnxruntime, on a CPU and on a GPU. */
import type { HostArray } from "../engine";
import { inputOf } from "../inputs";
import { resolveDim } from "./dims";
import type { ModelParts } from "./model";
import type { Recording } from "./record";
import type { HostTensor, Session } from "./session";
import { allocate, pinned } from "./store";

export type Lengths = Readonly<Record<string, number>>;

export function modelOf({ name, nodes, state, inputs, lengths, outputs }: Recording): ModelParts {
  return {
    name,
    // onnxruntime walks back from the last node of the file first: written backwards, it runs them in our order.
    nodes: [...nodes].reverse(),
    inputs: [...state.flatMap(({ input }) => input ?? []), ...inputs, ...lengths],
    outputs: [...state.flatMap(({ output }) => output ?? []), ...outputs],
  };
}

/** An input as it was given, checked. */
export function inputTensor(
  { path, dtype, value }: Recording["inputs"][number],
  given: ReadonlyMap<string, HostArray>,
  lengths: Lengths,
): HostTensor & { readonly data: HostArray } {
  const shape = value.dims.map((dim) => resolveDim(dim, lengths));
  return { type: dtype, shape, data: inputOf(given, { path, dtype, shape }) };
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
