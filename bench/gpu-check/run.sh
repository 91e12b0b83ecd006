#!/bin/sh
# Runs the GPU check that lies beside it: sh run.sh [flags], --help lists them. No network, no Node, no root.
unset CDPATH
case $0 in
*/*) here=${0%/*}/ ;;
*) here=./ ;;
esac
here=$(cd "$here" && pwd) || exit 2

payload=$here/payload
if [ ! -d "$payload" ]; then
  # Where the folder cannot be written, somewhere else.
  [ -w "$here" ] || { here_temporary=$(mktemp -d) && payload=$here_temporary/payload; } || exit 2
  draft=$payload.$$.tmp
  mkdir -p "$draft" || exit 2
  if command -v xz >/dev/null 2>&1 && command -v tar >/dev/null 2>&1; then
    xz -dc -T0 "$here/payload.tar.xz" | tar -xf - -C "$draft"
  else
    python3 -c 'import sys, tarfile; tarfile.open(sys.argv[1], "r:xz").extractall(sys.argv[2])' "$here/payload.tar.xz" "$draft"
  fi && [ -f "$draft/main.mjs" ] && mv "$draft" "$payload" || {
    rm -rf "$draft"
    echo "The package could not be unpacked: it takes xz and tar, or python3, and about 200 MB of room." >&2
    exit 2
  }
fi
"$payload/bin/node" --version >/dev/null 2>&1 || {
  echo "The Node of this package does not run here: $(uname -sm). It is that of the machine where npm run gpu-check was" >&2
  echo "run; make the package on Linux with the same kind of processor, and no newer glibc than here." >&2
  exit 2
}
exec "$payload/bin/node" "$payload/main.mjs" "$@"
