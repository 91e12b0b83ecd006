/** Where plugins are looked for, and what is said of files that are none. No plugin is needed. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { createEngine } from "../../../../../runtime/engines/xla/engine";
import { whyNotLoadable } from "../../../../../runtime/engines/xla/plugin/elf";
import { allPlugins, findPlugin } from "../../../../../runtime/engines/xla/plugin/find";

const root = realpathSync(mkdtempSync(join(tmpdir(), "ijepa-plugins-")));
afterAll(() => rmSync(root, { recursive: true, force: true }));

function file(...path: readonly string[]): string {
  const at = join(root, ...path);
  mkdirSync(dirname(at), { recursive: true });
  writeFileSync(at, "");
  return at;
}

const CPU = "lammps_jax_pjrt_cpu/pjrt_c_api_cpu_plugin.so";
const OTHER = "fastatomstruct_xla_cpu/libpjrt_cpu.so";
const CUDA = "jax_plugins/xla_cuda13/xla_cuda_plugin.so";
const nothing = { XDG_CACHE_HOME: join(root, "none"), PATH: "" };

describe("where a plugin is found", () => {
  const named = file("named.so");
  const beside = file("beside", "libpjrt_cpu.so");
  const cached = file("cache", "ijepa", "pjrt", CPU);
  const venv = file("venv", "lib", "python3.12", "site-packages", CUDA);
  file("venv", "lib", "python3.9", "site-packages", CUDA);
  const conda = file("conda", "lib", "python3.11", "site-packages", "libtpu", "libtpu.so");
  const distribution = file("usr", "lib", "python3", "dist-packages", OTHER);
  file("usr", "bin", "python3.11");
  mkdirSync(join(root, "bin"));
  symlinkSync(join(root, "usr", "bin", "python3.11"), join(root, "bin", "python3"));
  const cache = { XDG_CACHE_HOME: join(root, "cache") };

  test.each([
    ["by the flag", "cpu", { named, beside: [join(root, "beside")], env: nothing }, named],
    [
      "by the variable",
      "cpu",
      { beside: [join(root, "beside")], env: { ...nothing, IJEPA_PJRT_PLUGIN: named } },
      named,
    ],
    [
      "an empty variable says nothing",
      "cpu",
      { beside: [join(root, "beside")], env: { IJEPA_PJRT_PLUGIN: "" } },
      beside,
    ],
    ["beside the trainer, before what was fetched", "cpu", { beside: [join(root, "beside")], env: cache }, beside],
    ["fetched by the script", "cpu", { beside: [], env: { ...cache, PATH: "" } }, cached],
    [
      "in the newest Python of an environment",
      "gpu",
      { beside: [], env: { ...nothing, VIRTUAL_ENV: join(root, "venv") } },
      venv,
    ],
    ["in conda", "tpu", { beside: [], env: { ...nothing, CONDA_PREFIX: join(root, "conda") } }, conda],
    [
      "beside the python3 of PATH, through its link",
      "cpu",
      { beside: [], env: { ...nothing, PATH: ["/nowhere", join(root, "bin")].join(delimiter) } },
      distribution,
    ],
  ] as const)("%s", (_, device, places, wanted) => {
    expect(findPlugin(device, places)).toBe(wanted);
  });

  test("all of them, each once, the first one first", () => {
    const env = { ...cache, PATH: join(root, "bin") };
    expect(allPlugins("cpu", { beside: [join(root, "beside")], env })).toEqual([beside, cached, distribution]);
  });
});

describe("where there is none", () => {
  test.each([
    ["cpu", { beside: ["/beside"], env: nothing }, /R105.*device "cpu".*looked for in \/beside.*pjrt-cpu\.mjs/s],
    ["gpu", { beside: [], env: nothing }, /R105.*pip install "jax-cuda13-plugin\[with-cuda\]"/s],
    ["cpu", { named: "/no/such.so", env: nothing }, /R105.*\/no\/such\.so, which --pjrt-plugin names/s],
    ["cpu", { env: { IJEPA_PJRT_PLUGIN: "/no/such.so" } }, /R105.*\/no\/such\.so, which IJEPA_PJRT_PLUGIN names/s],
  ] as const)("%s %j", (device, places, wanted) => {
    let text = "";
    try {
      findPlugin(device, places);
    } catch (error) {
      text = error instanceof Error && "code" in error ? `${error.code} ${error.message}` : String(error);
    }
    expect(text).toMatch(wanted);
  });
});

/** The first bytes of an ELF file. */
function elf(machine: number, { bits = 2 } = {}): Buffer {
  const head = Buffer.alloc(64);
  head.write("\x7fELF", "latin1");
  head[4] = bits;
  head.writeUInt16LE(machine, 18);
  return head;
}

describe.runIf(process.platform === "linux")("a file that is no plugin", () => {
  const other = process.arch === "x64" ? { machine: 183, name: "ARM64" } : { machine: 62, name: "x86-64" };
  const library = process.arch === "x64" ? 62 : 183;
  test.each([
    ["a text", Buffer.from("This is no library at all."), /no ELF file/],
    ["empty", Buffer.alloc(0), /no ELF file/],
    ["for another processor", elf(other.machine), new RegExp(`made for ${other.name}`)],
    ["with 32 bits", elf(3, { bits: 1 }), /made for 32-bit x86/],
    ["cut short", elf(library), /cannot be used as a PJRT plugin/],
  ])("%s", async (name, bytes, wanted) => {
    const path = join(root, `${name}.so`);
    writeFileSync(path, bytes);
    await expect(createEngine({ threads: 1, device: "cpu", pjrtPlugin: path })).rejects.toThrow(wanted);
    await expect(createEngine({ threads: 1, device: "cpu", pjrtPlugin: path })).rejects.toMatchObject({ code: "R106" });
  });

  test("a folder", async () => {
    await expect(createEngine({ threads: 1, device: "cpu", pjrtPlugin: root })).rejects.toThrow(/it is a folder/);
  });

  test("a library without the function that a plugin has", async () => {
    const libc = "/lib/x86_64-linux-gnu/libm.so.6";
    if (whyNotLoadable(libc) !== undefined) return;
    await expect(createEngine({ threads: 1, device: "cpu", pjrtPlugin: libc })).rejects.toThrow(
      /no function GetPjrtApi/,
    );
  });
});
