/**
 * Official builds of onnxruntime 1.30 report to Microsoft: they look up a host, write `~/.cache/Microsoft` and leave
 * `mat-debug-<pid>.log` in the temporary folder. They read this variable when the first environment of a process is made.
 */

/** Called before the library is loaded, on the main thread: in a Worker `process.env` is a copy that C does not see. */
export function switchOffTelemetry(): void {
  process.env.ORT_DISABLE_TELEMETRY = "1";
}
