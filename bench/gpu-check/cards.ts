/** The most that cards do in products of bfloat16 that are summed in float32, dense, as their makers say. */

export interface Card {
  /** Of the name that nvidia-smi gives. */
  readonly name: RegExp;
  readonly bf16Teraflops: number;
  readonly source: string;
}

/** The first that fits; those with a longer name come first. */
export const cards: readonly Card[] = [
  { name: /H200/, bf16Teraflops: 989.4, source: "NVIDIA H200 datasheet: 1,979 with sparsity" },
  { name: /GH200/, bf16Teraflops: 989.4, source: "NVIDIA GH200 datasheet: 1,979 with sparsity" },
  { name: /H100 NVL/, bf16Teraflops: 835.5, source: "NVIDIA H100 datasheet: NVL 1,671 with sparsity" },
  { name: /H100 PCIe/, bf16Teraflops: 756, source: "NVIDIA H100 architecture paper: PCIe 756" },
  { name: /H100/, bf16Teraflops: 989.4, source: "NVIDIA H100 datasheet: SXM 1,979 with sparsity" },
  { name: /B200/, bf16Teraflops: 2250, source: "NVIDIA B200 datasheet: 4,500 with sparsity" },
  { name: /A100/, bf16Teraflops: 312, source: "NVIDIA A100 datasheet: 312" },
  { name: /A30/, bf16Teraflops: 165, source: "NVIDIA A30 datasheet: 165" },
  { name: /L40S/, bf16Teraflops: 362, source: "NVIDIA L40S datasheet: 733 with sparsity" },
  { name: /L4\b/, bf16Teraflops: 121, source: "NVIDIA L4 datasheet: 242 with sparsity" },
  { name: /RTX 4090/, bf16Teraflops: 165.2, source: "NVIDIA Ada architecture paper: 165.2 with float32 sums" },
  { name: /RTX 3090/, bf16Teraflops: 71, source: "NVIDIA Ampere GA102 paper: 71 with float32 sums" },
];

export const cardOf = (name: string): Card | undefined => cards.find((card) => card.name.test(name));
