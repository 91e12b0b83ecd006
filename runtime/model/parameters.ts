/** Short ways to list the weights of an experiment with their official names; generated code calls them. */
import type { Parameter } from "../experiment";

export type { Parameter } from "../experiment";

export interface LinearParameters {
  /** Path in the generated tree and name in the state dict, without `.weight` and `.bias`. */
  readonly path: string;
  readonly official: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly std: number;
  /** The official weight is that of a convolution: [outputs, ...kernel], kernel = [channels, height, width]. */
  readonly kernel?: readonly [number, number, number];
}

/** A linear layer: ours is [inputs, outputs], the official one its transpose. Biases start at 0. */
export function linear({ path, official, inputs, outputs, std, kernel }: LinearParameters): readonly Parameter[] {
  return [
    {
      path: `${path}.weight`,
      shape: [inputs, outputs],
      officialName: `${official}.weight`,
      officialShape: [outputs, ...(kernel ?? [inputs])],
      transposed: true,
      init: { kind: "normal", std },
    },
    vector(`${path}.bias`, `${official}.bias`, outputs, "zeros"),
  ];
}

/** A layer norm: gain 1, bias 0. */
export function norm(path: string, official: string, width: number): readonly Parameter[] {
  return [
    vector(`${path}.weight`, `${official}.weight`, width, "ones"),
    vector(`${path}.bias`, `${official}.bias`, width, "zeros"),
  ];
}

/** The mask token: officially [1, 1, width]. */
export function maskToken(path: string, official: string, width: number, std: number): readonly Parameter[] {
  return [
    {
      path,
      shape: [width],
      officialName: official,
      officialShape: [1, 1, width],
      transposed: false,
      init: { kind: "normal", std },
    },
  ];
}

export interface BlockParameters {
  readonly path: string;
  readonly official: string;
  readonly width: number;
  readonly hidden: number;
  readonly std: number;
  /** Standard deviation of the last matrix of attention and MLP; smaller with the depth rescale. */
  readonly lastStd: number;
}

/** A transformer block, in the order of the official state dict (reference.md §3). */
export function block({ path, official, width, hidden, std, lastStd }: BlockParameters): readonly Parameter[] {
  const layer = (name: string, inputs: number, outputs: number, layerStd: number) =>
    linear({ path: `${path}.${name}`, official: `${official}.${name}`, inputs, outputs, std: layerStd });
  return [
    ...norm(`${path}.norm1`, `${official}.norm1`, width),
    ...layer("attn.qkv", width, 3 * width, std),
    ...layer("attn.proj", width, width, lastStd),
    ...norm(`${path}.norm2`, `${official}.norm2`, width),
    ...layer("mlp.fc1", width, hidden, std),
    ...layer("mlp.fc2", hidden, width, lastStd),
  ];
}

/** The same for every block of a network. */
export function blocks(depth: number, of: (i: number) => BlockParameters): readonly Parameter[] {
  return Array.from({ length: depth }, (_, i) => block(of(i))).flat();
}

function vector(path: string, officialName: string, width: number, kind: "zeros" | "ones"): Parameter {
  return {
    path,
    shape: [width],
    officialName,
    officialShape: [width],
    transposed: false,
    init: { kind },
  };
}
