/** The texts of a package: what starts it, and what says how. */
import { glibcVersion, machineName } from "./machine";

/** Where the plugin of a package lies in it. */
export const PLUGIN = "pjrt/plugin.so";
/** Where Node lies in it. */
export const NODE = "bin/node";

/**
 * POSIX sh, and nothing but its own commands where there is no more: the machine may be an empty container. Nothing of the
 * spec is in it.
 */
export const startScript = (): string => `#!/bin/sh
# Trains, and goes on where an earlier start ended. Flags go to the trainer: sh train.sh --help
unset CDPATH
case $0 in
*/*) here=\${0%/*}/ ;;
*) here=./ ;;
esac
here=$(cd "$here" && pwd) || exit 2
case $here in
/) here= ;;
esac

machine=$(uname -sm 2>/dev/null)
case $machine in
"" | "${machineName()}") ;;
*)
  echo "This package was made for ${machineName()}, and this is $machine. Pack it on a machine of that kind." >&2
  exit 2
  ;;
esac

if [ -f "$here/${NODE}" ]; then
  node=$here/${NODE}
elif command -v node >/dev/null 2>&1; then
  node=node
  node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 9) ? 0 : 1)' || {
    echo "The node of this machine is too old: 20.9 or later is needed. Pack with --node to take one along." >&2
    exit 2
  }
else
  echo "There is no node on this machine. Pack with --node to take it along." >&2
  exit 2
fi

if [ -f "$here/${PLUGIN}" ] && [ -z "\${IJEPA_PJRT_PLUGIN:-}" ]; then
  IJEPA_PJRT_PLUGIN=$here/${PLUGIN}
  export IJEPA_PJRT_PLUGIN
fi

exec "$node" "$here/train.js" --resume=auto "$@"
`;

export interface ReadmeFacts {
  readonly name: string;
  readonly version: string;
  readonly engine: string;
  readonly device: string;
  readonly hasNode: boolean;
  /** Null: the engine takes none. */
  readonly plugin: "goes along" | "is looked for" | null;
}

const pluginLines = {
  "goes along": " The PJRT plugin in pjrt/ is used unless IJEPA_PJRT_PLUGIN names another one.",
  "is looked for": " It looks for a PJRT plugin in IJEPA_PJRT_PLUGIN and in Python's site-packages.",
} as const;

/** Ten lines. */
export function readmeText({ name, version, engine, device, hasNode, plugin }: ReadmeFacts): string {
  const glibc = glibcVersion();
  const node = hasNode ? `Node ${process.versions.node} lies in bin/` : "it needs node 20.9 or later in the PATH";
  return `The trainer of the experiment "${name}", compiled by ijepa ${version}.

    sh train.sh           trains; started again, it goes on from the newest checkpoint
    sh train.sh --help    lists its flags: --data, --run-dir, --steps, --threads, --init-from

It runs on ${machineName()}${glibc === undefined ? "" : ` with glibc (made on ${glibc}; it may not run on an older one)`}; no network is used; ${node}.
It computes with the engine ${engine} on the device ${device}.${plugin === null ? "" : pluginLines[plugin]}
Checkpoints and logs go to runs/${name} below the folder it is started in; relative data paths start there too.
The package itself may be read-only. Two trainings at a time take two folders: --run-dir.
experiment.json is what was compiled; a change of it takes \`ijepa pack\` again.
`;
}
