/** Finds the MPI library of this machine that belongs to the launcher. */
import { existsSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { type Library, loadKoffi } from "../../engines/koffi";
import { mpiMissing, mpiOfOtherLauncher } from "../../errors";
import { textOf, type Variables } from "../launchers/variables";
import { type Abi, type AbiName, abiOf } from "./abi";

export interface MpiLibrary {
  readonly path: string;
  /** Its first line says which MPI it is and of which version. */
  readonly version: string;
  readonly abi: Abi;
  readonly library: Library;
}

/** libmpi.so.12 is the name that all agreed on who keep to MPICH's interface; .40 is Open MPI 3 to 5. */
const fileNames: { readonly [K in AbiName]: readonly string[] } =
  process.platform === "darwin"
    ? { "Open MPI": ["libmpi.40.dylib", "libmpi.dylib"], MPICH: ["libmpi.12.dylib", "libmpi.dylib"] }
    : {
        "Open MPI": ["libmpi.so.40", "libmpi.so"],
        MPICH: ["libmpich.so.12", "libmpi.so.12", "libmpi_cray.so.12", "libmpich.so", "libmpi.so"],
      };

/** Folders of distributions that keep several MPIs apart, where the loader does not look by itself. */
const fixedFolders: { readonly [K in AbiName]: readonly string[] } = {
  "Open MPI": ["/usr/lib64/openmpi/lib", "/opt/homebrew/opt/open-mpi/lib"],
  MPICH: ["/usr/lib64/mpich/lib", "/opt/homebrew/opt/mpich/lib"],
};

/**
 * The library of the wanted kind. IJEPA_MPI_LIBRARY names one, and no other is looked at.
 * Throws R194 where there is none, R195 where there is only one of the other kind.
 */
export function findMpi(wanted: AbiName, variables: Variables): MpiLibrary {
  const named = textOf(variables, "IJEPA_MPI_LIBRARY");
  const other = wanted === "MPICH" ? "Open MPI" : "MPICH";
  const refused: string[] = [];
  tameUcx();
  let found: MpiLibrary | null = null;
  // Two MPIs in one process get in the way of one another, so the search ends at the first that fits.
  for (const path of named === null ? [...pathsOf(wanted, variables), ...pathsOf(other, variables)] : [named]) {
    const tried = tryLoad(path);
    if (typeof tried === "string") {
      if (named !== null || existsSync(path)) refused.push(`${path}: ${tried}`);
      continue;
    }
    if (tried.abi.name === wanted) return loadForAll(tried);
    found ??= tried;
  }
  if (found !== null) throw mpiOfOtherLauncher({ path: found.path, found: found.abi.name, launcher: wanted });
  throw mpiMissing({ wanted, refused });
}

/**
 * UCX, the network layer of many MPIs, takes over memory calls of the C library and the signals of crashes. V8 manages
 * memory beside it and needs SIGSEGV for WebAssembly, so both stay off unless a person has said otherwise. Only before
 * the library is loaded. (Without UCX's CMA the others would outlive a dead rank for a moment, but then MPI_Finalize of
 * MPICH 4.0 hangs in one run of four.)
 */
function tameUcx(): void {
  process.env.UCX_MEM_EVENTS ??= "n";
  process.env.UCX_ERROR_SIGNALS ??= "";
}

/** Names alone are looked for by the system's loader; the others stand beside the mpirun of the PATH. */
function pathsOf(kind: AbiName, variables: Variables): readonly string[] {
  const prefixes = (variables.PATH ?? "")
    .split(delimiter)
    .filter((folder) => folder !== "" && existsSync(join(folder, "mpirun")))
    .map(dirname);
  const folders = prefixes.flatMap((prefix) => [join(prefix, "lib"), join(prefix, "lib64")]);
  const inFolders = [...folders, ...fixedFolders[kind]].flatMap((folder) =>
    fileNames[kind].map((name) => join(folder, name)).filter((path) => existsSync(path)),
  );
  return [...new Set([...inFolders, ...fileNames[kind]])];
}

/** The library, or why it is none. */
function tryLoad(path: string): MpiLibrary | string {
  const koffi = loadKoffi();
  try {
    const library = koffi.load(path);
    const version = versionOf(library);
    const abi = abiOf(library, version);
    return abi === null ? `an MPI that is not known here (${version.split("\n")[0]})` : { path, version, abi, library };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** May be called before MPI is initialized. */
function versionOf(library: Library): string {
  const koffi = loadKoffi();
  // The longest text that any MPI gives is MPICH's, 8192 bytes.
  const text = Buffer.alloc(16384);
  const length = new Int32Array(1);
  library.func("int MPI_Get_library_version(void *, void *)")(koffi.address(text), koffi.address(length));
  return text.toString("latin1", 0, length[0]).replace(/\0.*$/s, "").trim();
}

/** RTLD_NOW | RTLD_GLOBAL */
const dlopenFlags = process.platform === "darwin" ? 0x2 | 0x8 : 0x2 | 0x100;

/**
 * Opens the library once more and never closes it. Parts of an MPI that it loads later may look for its symbols in the
 * process, and koffi would unload it before the threads end that MPI has left something to clean up (Open MPI crashes).
 */
function loadForAll(found: MpiLibrary): MpiLibrary {
  loadKoffi().load(null).func("void *dlopen(const char *, int)")(found.path, dlopenFlags);
  return found;
}
