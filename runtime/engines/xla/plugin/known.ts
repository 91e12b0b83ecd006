/** The plugins that Python packages bring, by what they compute on, and where in site-packages they lie. */
import { pipCommands } from "../../../pip-commands";
import type { XlaDevice } from "../target";

export interface KnownPlugin {
  /** Of the Python registry. */
  readonly package: string;
  readonly file: string;
}

/** The first that is found is taken. */
export const knownPlugins: { readonly [D in XlaDevice]: readonly KnownPlugin[] } = {
  cpu: [
    { package: "lammps-jax-pjrt-cpu", file: "lammps_jax_pjrt_cpu/pjrt_c_api_cpu_plugin.so" },
    { package: "fastatomstruct-xla-cpu", file: "fastatomstruct_xla_cpu/libpjrt_cpu.so" },
    { package: "xla-cpu-pjrt", file: "xla_plugins/xla_cpu_pjrt/xla_cpu_pjrt.so" },
  ],
  gpu: [
    { package: "jax-cuda13-pjrt", file: "jax_plugins/xla_cuda13/xla_cuda_plugin.so" },
    { package: "jax-cuda12-pjrt", file: "jax_plugins/xla_cuda12/xla_cuda_plugin.so" },
    { package: "jax-rocm7-pjrt", file: "jax_plugins/xla_rocm7/xla_rocm_plugin.so" },
    { package: "jax-rocm60-pjrt", file: "jax_plugins/xla_rocm60/xla_rocm_plugin.so" },
  ],
  tpu: [{ package: "libtpu", file: "libtpu/libtpu.so" }],
};

/** The command that gets a plugin for a device. */
export const installCommands: { readonly [D in XlaDevice]: string } = {
  cpu: "node scripts/pjrt-cpu.mjs (of ijepa; no Python needed)",
  gpu: `${pipCommands.cuda} (NVIDIA; an AMD card wants ${pipCommands.rocm})`,
  tpu: pipCommands.tpu,
};
