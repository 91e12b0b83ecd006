#!/bin/sh
# Runs the GPU check that lies beside it: sh run.sh [flags], --help lists them. No network, no Node, no root.
unset CDPATH
case $0 in
*/*) here=${0%/*}/ ;;
*) here=./ ;;
esac
here=$(cd "$here" && pwd) || exit 2
archive=$here/payload.tar.xz

unpack() { # into a folder that is there
  if command -v xz >/dev/null 2>&1 && command -v tar >/dev/null 2>&1; then
    xz -dc -T0 "$archive" | tar -xf - -C "$1" && [ -f "$1/main.mjs" ] && return 0
  fi
  for python in python3 python "${VIRTUAL_ENV:-/usr}/bin/python3"; do
    command -v "$python" >/dev/null 2>&1 || continue
    "$python" -c 'import sys, tarfile; tarfile.open(sys.argv[1], "r:xz").extractall(sys.argv[2])' "$archive" "$1" &&
      [ -f "$1/main.mjs" ] && return 0
  done
  return 1
}

# Beside this script, or where that cannot be written, is full or runs no programs, somewhere else.
said=
for place in "$here" "${TMPDIR:-/tmp}" /var/tmp /dev/shm "${HOME:-/tmp}"; do
  case $place in
  "$here") payload=$here/payload ;;
  *) payload=$place/ijepa-gpu-check-$(id -u) ;;
  esac
  if [ ! -f "$payload/main.mjs" ] || [ ! "$payload/main.mjs" -nt "$archive" ] && [ -f "$archive" ]; then
    draft=$payload.$$.tmp
    trap 'rm -rf "$draft"; exit 130' INT TERM HUP
    if mkdir "$draft" 2>/dev/null && unpack "$draft" 2>"$draft.said"; then
      touch "$draft/main.mjs" && rm -rf "$payload" && mv "$draft" "$payload"
    else
      said="$said
$place: $(cat "$draft.said" 2>/dev/null || echo "cannot be written")"
    fi
    rm -rf "$draft" "$draft.said"
    trap - INT TERM HUP
  fi
  [ -f "$payload/main.mjs" ] || continue
  if "$payload/bin/node" --version >/dev/null 2>&1; then
    exec "$payload/bin/node" "$payload/main.mjs" "$@"
  fi
  said="$said
$payload/bin/node does not run: $("$payload/bin/node" --version 2>&1 | head -n 2)"
done
cat >&2 <<END
The check cannot begin. It takes xz and tar, or python3, about 250 MB of room in a folder that may run programs
(TMPDIR=FOLDER names another one), and Linux on the kind of processor where npm run gpu-check was run, with no older
glibc than there. This is $(uname -sm). Tried:$said
END
exit 2
