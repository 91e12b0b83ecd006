/**
 * Commands that get a plugin with all it needs. The extra, which brings ptxas, libdevice, cuBLAS, cuDNN and NCCL, is one of
 * jax-cuda13-plugin; jax-cuda13-pjrt, which has the plugin and comes along, has none.
 */
export const pipCommands = {
  cuda: 'pip install "jax-cuda13-plugin[with-cuda]"',
  rocm: "pip install jax-rocm7-pjrt",
  tpu: "pip install libtpu",
} as const;
