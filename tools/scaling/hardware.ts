/** Cards and links of the model of scaling: what their makers state, each with its source. One table. */
import type { Spec } from "../../compiler/spec/spec";

type Precision = Extract<Spec["hardware"]["precision"], "fp32" | "bf16">;

export interface Card {
  readonly name: string;
  /** Dense products, without sparsity; operations per second. */
  readonly peakFlops: { readonly [P in Precision]: number };
  /** Of its own memory. */
  readonly memoryBytesPerSecond: number;
  /** NVLink to the other cards of its host, in one direction: half of what is advertised. */
  readonly linkBytesPerSecond: number;
  readonly source: string;
}

export const cards = {
  H100: {
    name: "H100 SXM",
    peakFlops: { fp32: 67e12, bf16: 989e12 },
    memoryBytesPerSecond: 3.35e12,
    linkBytesPerSecond: 450e9,
    source: "https://www.nvidia.com/en-us/data-center/h100/",
  },
  H200: {
    name: "H200 SXM",
    peakFlops: { fp32: 67e12, bf16: 989e12 },
    memoryBytesPerSecond: 4.8e12,
    linkBytesPerSecond: 450e9,
    source: "https://www.nvidia.com/en-us/data-center/h200/",
  },
  A100: {
    name: "A100 SXM 80 GB",
    peakFlops: { fp32: 19.5e12, bf16: 312e12 },
    memoryBytesPerSecond: 2.039e12,
    linkBytesPerSecond: 300e9,
    source: "https://www.nvidia.com/en-us/data-center/a100/",
  },
} as const satisfies Readonly<Record<string, Card>>;

export type CardName = keyof typeof cards;

// The keys of a total table are its names.
export const cardNames = Object.keys(cards) as readonly CardName[];

export interface Network {
  readonly name: string;
  /** Of a host, in one direction. */
  readonly hostBytesPerSecond: number;
  readonly source: string;
}

export const networks = [
  {
    name: "400 Gb/s a host",
    hostBytesPerSecond: 400e9 / 8,
    source: "https://www.nvidia.com/en-us/networking/infiniband-adapters/ (ConnectX-7)",
  },
  {
    name: "8 × 400 Gb/s a host",
    hostBytesPerSecond: (8 * 400e9) / 8,
    source: "https://docs.nvidia.com/dgx/dgxh100-user-guide/introduction-to-dgxh100.html",
  },
] as const satisfies readonly Network[];

/** What nobody has measured here: assumptions, which the page and `inspect` print. */
export const assumed = {
  cardsPerHost: 8,
  /** Share of its rated speed that a link reaches. */
  linkShare: 0.8,
  /** Of one hop of a ring. */
  latencySeconds: { card: 5e-6, host: 15e-6 },
  /** Gradients are reduced in buckets of so much where the reduction overlaps with backward: those of engine onnx. */
  bucketBytes: 64 * 2 ** 20,
  /** Share of a card's peak: published trainings of vision transformers reach 0.24 to 0.36 on H100, in bf16. */
  mfu: 0.3,
  mfuSources: [
    "NVIDIA NeMo Framework user guide, performance of ViT (ViT-g/14, 8 × H100: 0.29)",
    "https://github.com/facebookresearch/dinov3 (ViT-L/16, 32 × H100: 0.25)",
  ],
} as const;
