#!/usr/bin/env bash
# Builds the addon and the helper with node-gyp. The Node headers beside the running node are used when they are there,
# so that nothing is downloaded.
set -euo pipefail
cd "$(dirname "$0")/.."
prefix=$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")
args=()
[ -e "$prefix/include/node/node_api.h" ] && args+=(--nodedir "$prefix")
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! npx --no-install node-gyp configure build --jobs "$(nproc)" "${args[@]}" >"$log" 2>&1; then
  cat "$log" >&2
  exit 1
fi
grep -E 'warning:' "$log" >&2 || true
