/** The end of a process whose threads may never come back. */
import { loadKoffi } from "./engines/koffi";

/**
 * EX_TEMPFAIL of sysexits.h: another process of the run is lost, or the network to it. Nothing is wrong with the run itself, and
 * the same command goes on with it, so a scheduler may start it again by itself.
 */
export const tryAgainExitCode = 75;

/**
 * Ends this process without waiting for calls on other threads, which process.exit does: one of them may be in MPI and
 * wait for a rank that is dead.
 */
export function exitAtOnce(code: number): never {
  try {
    loadKoffi().load(null).func("void _exit(int)")(code);
  } catch {
    // No koffi, or a system whose C library is none of the process: the signal does not wait either.
  }
  process.kill(process.pid, "SIGKILL");
  process.exit(code);
}
