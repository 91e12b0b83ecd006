/** Installed packages with everything that they need, as files of a node_modules folder for this platform alone. */

import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join, posix, sep } from "node:path";
import { turbojpegPackage } from "../../runtime/data/jpeg/turbojpeg";
import { glibcVersion } from "./machine";
import { needsOf } from "./needs";

/** A file that goes along. */
export interface PackedFile {
  /** Where it lies. */
  readonly from: string;
  /** Where it goes, with `/`. */
  readonly to: string;
}

interface Rule {
  /** Of the paths inside the package, those that a program does not load. */
  readonly drop?: RegExp;
  /** Dependencies of its installer alone. */
  readonly without?: readonly string[];
}

const { platform, arch } = process;

/** Nothing that runs: types, maps, pages, sources of native code. Licences stay. */
const IDLE = /\.(d\.[cm]?ts|ts|map|md|cc|cpp|h|hh|gyp|inc|S|asm|def)$/;

const libc = platform === "linux" && glibcVersion() === undefined ? "-musl" : "";
const notOfTurbojpeg = new RegExp(
  `^(?!package\\.json$|LICENSE|prebuilds/jpeg-turbo-${platform}-${arch}${libc}/libturbojpeg\\.)`,
);

/** Packages that would bring megabytes of other platforms, or of what only their installer uses. */
const rules: Readonly<Record<string, Rule>> = {
  "onnxruntime-node": {
    drop: new RegExp(`^(bin/napi-v\\d+/(?!${platform}/${arch}/)|script/|lib/)`),
    without: ["adm-zip", "global-agent"],
  },
  "onnxruntime-common": { drop: /^(dist\/esm|lib)\// },
  koffi: { drop: /^(doc|vendor|lib)\/|^cnoke\.|CMakeLists/ },
  // Its library alone is loaded, not its addon.
  [turbojpegPackage]: { drop: notOfTurbojpeg, without: ["cmake-js", "node-addon-api", "pkg-prebuilds"] },
  [`@koromix/koffi-${platform}-${arch}`]: { drop: glibcVersion() === undefined ? /^linux_/ : /^musl_/ },
};

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** The folder of a package as seen from a folder, or from one of the folders that are searched besides. */
export function packageFolder(name: string, from: string, besides: readonly string[] = []): string | undefined {
  const candidates = [...foldersAbove(from).map((folder) => join(folder, "node_modules")), ...besides];
  const found = candidates.map((folder) => join(folder, name)).find((path) => existsSync(join(path, "package.json")));
  return found === undefined ? undefined : realpathSync(found);
}

function foldersAbove(folder: string): readonly string[] {
  return folder === dirname(folder) ? [folder] : [folder, ...foldersAbove(dirname(folder))];
}

/**
 * The files of these packages and of all that they depend on and is installed, in the order of their paths. A dependency
 * lies at the top, or where another version of it has that place, below the package that wants it.
 */
export function filesOfPackages(roots: ReadonlyMap<string, string>): readonly PackedFile[] {
  const placed = new Map<string, string>();
  const place = (name: string, folder: string, parent: string): void => {
    const top = posix.join("node_modules", name);
    const holder = placed.get(top);
    if (holder === folder) return;
    const to = holder === undefined ? top : posix.join(parent, "node_modules", name);
    if (placed.get(to) === folder) return;
    placed.set(to, folder);
    for (const wanted of dependenciesOf(name, folder)) {
      const found = packageFolder(wanted, folder);
      // Optional ones are those of other platforms; a required one that is missing is missed here as well.
      if (found !== undefined) place(wanted, found, to);
    }
  };
  for (const [name, folder] of roots) place(name, folder, "");
  return [...placed].flatMap(([to, folder]) => filesOf(to, folder)).sort((a, b) => (a.to < b.to ? -1 : 1));
}

function dependenciesOf(name: string, folder: string): readonly string[] {
  // npm wrote it.
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
  const { dependencies, optionalDependencies, peerDependencies } = manifest;
  const all = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies });
  return all.filter((each) => rules[name]?.without?.includes(each) !== true);
}

function filesOf(to: string, folder: string): readonly PackedFile[] {
  const drop = rules[to.slice(to.lastIndexOf("node_modules/") + "node_modules/".length)]?.drop;
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((from) => ({
      from,
      path: from
        .slice(folder.length + 1)
        .split(sep)
        .join("/"),
    }))
    .filter(({ path }) => !path.startsWith("node_modules/") && !IDLE.test(path) && drop?.test(path) !== true)
    .map(({ from, path }) => ({ from, to: posix.join(to, path) }));
}

/** The packages that a trainer needs and that `node` does not find from its folder, nor from where it is started. */
export function missingFrom(folder: string, spec: Parameters<typeof needsOf>[0]): readonly string[] {
  return needsOf(spec).flatMap(({ packages, isOptional }) => {
    const found =
      isOptional === true ||
      packages.some((name) => [folder, process.cwd()].some((from) => packageFolder(name, from) !== undefined));
    return found ? [] : [packages[0]];
  });
}
