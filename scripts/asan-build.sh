#!/bin/bash
# Builds the tree verbs with the address and undefined-behaviour sanitizers.
#   scripts/asan-build.sh OUT     OUT/tree-verbs; OUT/client, which stands for it while `tree-verbs serve OUT/socket` runs
set -euo pipefail
out=$(realpath "$1")
cd "$(dirname "$0")/.."
flags=(-std=c++20 -O1 -g -Wall -Wextra -Wno-unused-result -D_FILE_OFFSET_BITS=64 -Inative
  -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
mkdir -p "$out/objects"
printf '%s\n' native/layer/*.cc native/helper/{tree_verbs,pack_verb,upper_options,unpacking,answer}.cc native/runtime/remove.cc \
  test/layer/tree_verbs_main.cc test/layer/verb_server.cc |
  xargs -P "$(nproc)" -I{} sh -c 'g++ "$@" -c {} -o "$0/$(basename {} .cc).o"' "$out/objects" "${flags[@]}"
g++ "${flags[@]}" "$out"/objects/*.o -o "$out/tree-verbs" -lseccomp -lzstd -ldeflate
gcc -O1 -Wall -Wextra -static test/layer/verb_client.c -o "$out/client"
