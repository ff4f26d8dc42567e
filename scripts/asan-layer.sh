#!/bin/bash
# Builds the tree verbs with the address and undefined-behaviour sanitizers and runs the hostile archives against them:
# first the test's own expectations, then mutations of the same archives.
#   scripts/asan-layer.sh [MUTATIONS] [SEED]
set -euo pipefail
cd "$(dirname "$0")/.."
mutations=${1:-500}
seed=${2:-1}
out=$(mktemp -d "${TMPDIR:-/tmp}/tsrun-asan-XXXXXX")
trap 'rm -rf "$out"' EXIT

echo "building the tree verbs with sanitizers"
flags=(-std=c++20 -O1 -g -Wall -Wextra -Wno-unused-result -D_FILE_OFFSET_BITS=64 -Inative
  -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
printf '%s\n' native/layer/*.cc native/helper/tree_verbs.cc native/helper/answer.cc native/runtime/remove.cc test/layer/tree_verbs_main.cc |
  xargs -P "$(nproc)" -I{} sh -c 'g++ "$@" -c {} -o "$0/$(basename {} .cc).o"' "$out" "${flags[@]}"
g++ "${flags[@]}" "$out"/*.o -o "$out/tree-verbs" -lseccomp -lzstd -ldeflate

export TSRUN_TEST_HELPER=$out/tree-verbs
echo "the test archives"
npx ava test/layer/hostile.test.ts test/layer/apply.test.ts test/layer/pack.test.ts --match '!*jail*' # strace sees the sanitizer's own files
echo "$mutations mutations, seed $seed"
npx tsx test/layer/mutate.ts "$mutations" "$seed"
