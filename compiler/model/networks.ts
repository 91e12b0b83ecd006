/** The networks whose weights are trained: layers by name, with the names and shapes that state dicts give them. */
import type { BlockType } from "../ir/graph";
import type { Dim } from "../ir/number";
import type { NetworkDims } from "./dims";
import { layers } from "./layers";

interface AnyLayer {
  /** Below the network: `patchEmbed`. */
  readonly name: string;
  /** In its state dict, without `.weight` and `.bias`. */
  readonly official: string;
}

export interface LinearLayer extends AnyLayer {
  readonly kind: "linear";
  readonly inputs: Dim;
  readonly outputs: Dim;
  /** `patches -> embedded` (runtime/ops/roles.ts). */
  readonly role: string;
  /** Whether state dicts have it as a convolution over patches. */
  readonly isOfPatches?: true;
}

export interface NormLayer extends AnyLayer {
  readonly kind: "norm";
  readonly width: Dim;
  readonly role: string;
}

/** A vector that stands where a token would: [1, 1, width] in state dicts. AdamW decays it, as it does all but vectors there. */
export interface TokenLayer extends AnyLayer {
  readonly kind: "token";
  readonly width: Dim;
  readonly role: string;
  /** For people: `the mask token`. */
  readonly what: string;
}

/** All blocks of the network. */
export interface BlocksLayer extends AnyLayer {
  readonly kind: "blocks";
  readonly name: "blocks";
}

export type Layer = LinearLayer | NormLayer | TokenLayer | BlocksLayer;

/** What stands for a patch that is masked. */
export const maskTokenLayer = (width: Dim): TokenLayer => ({
  kind: "token",
  name: "maskToken",
  official: "mask_token",
  width,
  role: layers.maskToken,
  what: "the mask token",
});

export interface NetworkLayout {
  /** The first name in the paths of its weights: `encoder`. */
  readonly name: string;
  /** Of its interface in step.ts; that of a block is named after it. */
  readonly type: Capitalize<string>;
  readonly dims: NetworkDims;
  /** Blocks; 0 where it has none. */
  readonly depth: number;
  /** In the order of the official state dict. */
  readonly layers: readonly Layer[];
}

export const blockType = ({ type }: Pick<NetworkLayout, "type">): BlockType => `${type}Block`;

/** Vectors that AdamW decays, by path. */
export function tokensOf(
  networks: readonly NetworkLayout[],
): readonly { readonly path: string; readonly what: string }[] {
  return networks.flatMap(({ name, layers }) =>
    layers.flatMap((layer) => (layer.kind === "token" ? [{ path: `${name}.${layer.name}`, what: layer.what }] : [])),
  );
}
