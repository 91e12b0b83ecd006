/**
 * How other programs name the weights of the encoder. The official code and timm agree (reference.md §3); Hugging Face's IJepaModel
 * has names of its own, and query, key and value apart.
 */

const blockLayers = ["norm1", "attn.qkv", "attn.proj", "norm2", "mlp.fc1", "mlp.fc2"] as const;
type BlockLayer = (typeof blockLayers)[number];

/** Every tensor of an encoder of this depth by its official name, in the order of the official state dict. */
export function encoderTensorNames(depth: number): readonly string[] {
  const both = (layer: string): string[] => [`${layer}.weight`, `${layer}.bias`];
  const block = (i: number): string[] => blockLayers.flatMap((layer) => both(`blocks.${i}.${layer}`));
  return [
    "pos_embed",
    ...both("patch_embed.proj"),
    ...Array.from({ length: depth }, (_, i) => block(i)).flat(),
    ...both("norm"),
  ];
}

/** A tensor of Hugging Face's that is one of the official ones, or a third of its rows. */
export interface HuggingFaceName {
  /** An encoder, and behind it the decoder of a masked autoencoder, or the head of SimMIM. */
  readonly network: "encoder" | "decoder" | "head";
  readonly official: string;
  /** Which third of the official rows: 0 query, 1 key, 2 value; null: all of it. */
  readonly third: 0 | 1 | 2 | null;
}

/** Layers of a block as they lie in files of the hub, and as transformers 5 calls its modules. */
const huggingFaceLayers: { readonly [L in BlockLayer]: readonly (readonly string[])[] } = {
  norm1: [["layernorm_before"]],
  "attn.qkv": [
    ["attention.attention.query", "attention.attention.key", "attention.attention.value"],
    ["attention.q_proj", "attention.k_proj", "attention.v_proj"],
  ],
  "attn.proj": [["attention.output.dense"], ["attention.o_proj"]],
  norm2: [["layernorm_after"]],
  "mlp.fc1": [["intermediate.dense"], ["mlp.fc1"]],
  "mlp.fc2": [["output.dense"], ["mlp.fc2"]],
};

const thirds = [0, 1, 2] as const;

/** The names of Hugging Face that an official tensor goes by in files of the hub: one, or three for query, key and value. */
export function huggingFaceNames(official: string): readonly string[] {
  if (official === "pos_embed") return ["embeddings.position_embeddings"];
  if (official === "cls_token" || official === "mask_token") return [`embeddings.${official}`];
  const [, layer = "", kind = ""] = /^(.*)\.(weight|bias)$/.exec(official) ?? [];
  if (layer === "patch_embed.proj") return [`embeddings.patch_embeddings.projection.${kind}`];
  if (layer === "norm") return [`layernorm.${kind}`];
  const [, number = "", inner = ""] = /^blocks\.(\d+)\.(.*)$/.exec(layer) ?? [];
  return blockNames(official, inner).map((name) => `encoder.layer.${number}.${name}.${kind}`);
}

function blockNames(official: string, inner: string): readonly string[] {
  const known = blockLayers.find((name) => name === inner);
  if (known === undefined) throw new Error(`internal: ${official} is no tensor of a transformer`);
  return huggingFaceLayers[known][0] ?? [];
}

/** The same of the decoder of a masked autoencoder, as released files of ViTMAEForPreTraining have them. */
export function huggingFaceDecoderNames(official: string): readonly string[] {
  const [, number = "", inner = "", kind = ""] = /^decoder_blocks\.(\d+)\.(.*)\.(weight|bias)$/.exec(official) ?? [];
  if (number === "") return [`decoder.${official}`];
  return blockNames(official, inner).map((name) => `decoder.decoder_layers.${number}.${name}.${kind}`);
}

/** The head of SimMIM, in Hugging Face's form and in the files of the paper's own code: a convolution over single tokens. */
export const simmimHead = /^decoder\.0\.(weight|bias)$/;

/** What a name of Hugging Face's stands for, `ijepa.`, `vit.` or the like before it or not; null for any other tensor. */
export function fromHuggingFace(given: string): HuggingFaceName | null {
  const name = given.replace(/^(ijepa|vit|data2vec_vision)\./, "");
  const whole = (network: HuggingFaceName["network"], official: string) => ({ network, official, third: null });
  const [, ofHead] = simmimHead.exec(name) ?? [];
  if (ofHead !== undefined) return whole("head", `proj.${ofHead}`);
  if (name === "embeddings.position_embeddings") return whole("encoder", "pos_embed");
  if (name === "embeddings.cls_token") return whole("encoder", "cls_token");
  if (name === "embeddings.mask_token") return whole("encoder", "mask_token");
  if (name === "decoder.mask_token" || name === "decoder.decoder_pos_embed") return whole("decoder", name.slice(8));
  const [, layer = "", kind = ""] = /^(.*)\.(weight|bias)$/.exec(name) ?? [];
  if (layer === "embeddings.patch_embeddings.projection") return whole("encoder", `patch_embed.proj.${kind}`);
  if (layer === "layernorm") return whole("encoder", `norm.${kind}`);
  if (/^decoder\.decoder_(embed|norm|pred)$/.test(layer)) return whole("decoder", `${layer.slice(8)}.${kind}`);
  const [, blocks = "", number = "", inner = ""] =
    /^(encoder\.layer|layers|decoder\.decoder_(?:encoder\.layer|layers))\.(\d+)\.(.*)$/.exec(layer) ?? [];
  const isDecoder = blocks.startsWith("decoder");
  for (const known of blockLayers) {
    for (const names of huggingFaceLayers[known]) {
      const at = names.indexOf(inner);
      if (at < 0) continue;
      const official = `${isDecoder ? "decoder_blocks" : "blocks"}.${number}.${known}.${kind}`;
      const third = names.length === 1 ? null : (thirds[at] ?? null);
      return { network: isDecoder ? "decoder" : "encoder", official, third };
    }
  }
  return null;
}
