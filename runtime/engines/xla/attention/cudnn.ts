/**
 * cuDNN's flash attention, as XLA's plugin for CUDA takes it: custom calls whose names and settings are those that JAX 0.11
 * writes for jax.nn.dot_product_attention(implementation="cudnn"). Scores and weights of attention never reach the memory.
 */
import { type Builder, sizeAt, type Value } from "../builder";
import type { AttentionKernel } from "./kernel";

/** [B, H, N, E] ↔ [B, N, H, E], which is how the products before and after have it: for XLA the two cancel out. */
const swapped = (b: Builder, x: Value): Value => b.transpose(x, [0, 2, 1, 3]);

/** Of a result [B, H, N, E] that lies in memory as [B, N, H, E]. */
const BY_TOKEN = [3, 1, 2, 0];

type Axes = readonly [contract: readonly [number, number], batch: readonly [readonly number[], readonly number[]]];

/** The products, of queries, keys and values as [B, N, H, E] and of weights as [B, H, T, S]. */
const products = {
  forward: {
    bmm1: [
      [3, 3],
      [
        [0, 2],
        [0, 2],
      ],
    ],
    bmm2: [
      [3, 1],
      [
        [0, 1],
        [0, 2],
      ],
    ],
  },
  backward: {
    bmm1_grad_gemm1: [
      [2, 1],
      [
        [0, 1],
        [0, 2],
      ],
    ],
    bmm1_grad_gemm2: [
      [3, 1],
      [
        [0, 1],
        [0, 2],
      ],
    ],
    bmm2_grad_gemm1: [
      [2, 1],
      [
        [0, 1],
        [0, 2],
      ],
    ],
    bmm2_grad_gemm2: [
      [3, 3],
      [
        [0, 2],
        [0, 2],
      ],
    ],
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Axes>>>>;

function configuration(q: Value, k: Value, scale: number, pass: keyof typeof products): string {
  const dimensions = [sizeAt(q, 0), sizeAt(q, 1), sizeAt(q, 2), sizeAt(k, 2)];
  const axes = Object.entries<Axes>(products[pass]).map(([name, [[left, right], [leftBatch, rightBatch]]]) => [
    `${name}_dot_dimension_numbers`,
    {
      lhs_contracting_dimensions: [String(left)],
      rhs_contracting_dimensions: [String(right)],
      lhs_batch_dimensions: leftBatch.map(String),
      rhs_batch_dimensions: rightBatch.map(String),
    },
  ]);
  return JSON.stringify({
    operation_queue_id: "0",
    cudnn_fmha_backend_config: {
      algorithm: {
        algo_id: "0",
        math_type: "TENSOR_OP_MATH",
        tuning_knobs: { 17: "1", 24: "0" },
        is_cudnn_frontend: true,
        workspace_size: "0",
      },
      fmha_scale: scale,
      dropout_rate: 0,
      seed: 0,
      sliding_window_length: 0,
      max_seg_per_batch: 1,
      is_paged_attention: false,
      intermediate_tensor_shape: {
        element_type: "BF16",
        dimensions: dimensions.map(String),
        tuple_shapes: [],
        layout: {
          dim_level_types: [],
          dim_unique: [],
          dim_ordered: [],
          minor_to_major: ["3", "2", "1", "0"],
          tiles: [],
          element_size_in_bits: "0",
          memory_space: "0",
          index_primitive_type: "PRIMITIVE_TYPE_INVALID",
          pointer_primitive_type: "PRIMITIVE_TYPE_INVALID",
          dynamic_shape_metadata_prefix_bytes: "0",
        },
        is_dynamic_dimension: [false, false, false, false],
      },
      is_flash_attention: true,
      mask_type: "NO_MASK",
      ...Object.fromEntries(axes),
    },
  });
}

/** XLA decides how much of it there is. */
const workspace = { type: "ui8", shape: [0], layout: [0] } as const;

export const cudnnAttention: AttentionKernel<Builder> = {
  name: "cuDNN's attention",
  // On an H100 more would do; no experiment has wider heads.
  takes: (headWidth) => headWidth % 8 === 0 && headWidth <= 128,

  forward: (b, { q, k, v, scale }) => {
    const [mixed, statistics] = b.customCall("__cudnn$fmhaSoftmax", {
      operands: [q, k, v].map((x) => swapped(b, x)),
      results: [
        { type: "bf16", shape: q.shape, layout: BY_TOKEN },
        { type: "f32", shape: q.shape.slice(0, 3), layout: [2, 1, 0] },
        workspace,
      ],
      configuration: configuration(q, k, scale, "forward"),
    });
    if (mixed === undefined || statistics === undefined) throw new Error("internal: attention gives two results");
    return { mixed, statistics };
  },

  backward: (b, { q, k, v, scale, mixed, statistics }, gradient) => {
    const [ofQ, ofK, ofV] = b.customCall("__cudnn$fmhaSoftmaxBackward", {
      operands: [swapped(b, q), swapped(b, k), swapped(b, v), statistics, swapped(b, gradient), swapped(b, mixed)],
      results: [...[q, k, v].map(({ shape }) => ({ type: "bf16", shape, layout: BY_TOKEN }) as const), workspace],
      configuration: configuration(q, k, scale, "backward"),
    });
    if (ofQ === undefined || ofK === undefined || ofV === undefined) {
      throw new Error("internal: attention has three gradients");
    }
    return { q: ofQ, k: ofK, v: ofV };
  },
};
