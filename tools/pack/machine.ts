/** What of this machine a package depends on. */
import { arch, platform } from "node:os";

/** The libraries of this process, as Node says them; undefined where it is no glibc. */
export function glibcVersion(): string | undefined {
  const report: { readonly header?: { readonly glibcVersionRuntime?: unknown } } = Object(process.report?.getReport());
  const version = report.header?.glibcVersionRuntime;
  return typeof version === "string" ? version : undefined;
}

/** As `uname -sm` says it. */
export function machineName(): string {
  const systems: Readonly<Record<string, string>> = { linux: "Linux", darwin: "Darwin" };
  const onLinux: Readonly<Record<string, string>> = { x64: "x86_64", arm64: "aarch64", ppc64: "ppc64le" };
  const machine = platform() === "linux" ? (onLinux[arch()] ?? arch()) : arch() === "x64" ? "x86_64" : arch();
  return `${systems[platform()] ?? platform()} ${machine}`;
}
