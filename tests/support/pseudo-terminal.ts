/** A terminal that can go away: Linux and macOS only. */
import { closeSync, openSync } from "node:fs";
import { loadKoffi } from "../../runtime/engines/koffi";

export interface PseudoTerminal {
  /** What a program has as its standard streams. */
  readonly stream: number;
  /** From here on writing to it fails with EIO. */
  close(): void;
}

export function openPseudoTerminal(): PseudoTerminal {
  const library = loadKoffi().load(null);
  const O_RDWR = 2;
  const master = Number(library.func("int posix_openpt(int)")(O_RDWR));
  // Or programs that are started have this end too, and it is never closed.
  const [F_SETFD, FD_CLOEXEC] = [2, 1];
  library.func("int fcntl(int, int, ...)")(master, F_SETFD, "int", FD_CLOEXEC);
  library.func("int grantpt(int)")(master);
  library.func("int unlockpt(int)")(master);
  const path = String(library.func("const char *ptsname(int)")(master));
  const stream = openSync(path, "r+");
  return {
    stream,
    close: () => {
      closeSync(stream);
      closeSync(master);
    },
  };
}
