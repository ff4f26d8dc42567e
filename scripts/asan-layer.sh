#!/bin/bash
# Hostile archives against a build of the tree verbs with sanitizers: first the tests' own expectations, then mutations.
#   scripts/asan-layer.sh [MUTATIONS] [SEED]     MUTATIONS are made with SEED (default 1), and as many with a random seed
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(mktemp -d "${TMPDIR:-/tmp}/tsrun-asan-XXXXXX")
trap 'rm -rf "$out"' EXIT
echo "building the tree verbs with sanitizers"
bash scripts/asan-build.sh "$out"
echo "the test archives"
# A fork for each verb: with sanitizers the start of the program takes longer than the verb. fd 0 ends with this script.
mkfifo "$out/life"
"$out/tree-verbs" serve "$out/socket" <"$out/life" >"$out/verbs.log" &
exec 9>"$out/life"
while [ ! -S "$out/socket" ]; do sleep 0.05; done
TSRUN_TEST_HELPER=$out/client npx ava test/layer/hostile.test.ts test/layer/apply.test.ts test/layer/pack.test.ts \
  test/layer/pack-whole.test.ts \
  test/layer/list.test.ts --match '!*jail*' # strace sees the sanitizer's own files
exec 9>&-
npx tsx test/mutations/main.ts --verbs "$out" "${1:-150}" "${2:-1}"
npx tsx test/mutations/main.ts --verbs "$out" "${1:-150}" "$RANDOM"
