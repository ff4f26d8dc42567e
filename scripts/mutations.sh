#!/bin/bash
# Mutations of hostile archives against apply, load and import, with sanitizers: `npm run test:mutations -- COUNT SEED`.
# The same seed gives the same mutations. `-- --replay FILE` runs one that was kept.
set -euo pipefail
cd "$(dirname "$0")/.."
unset NODE_EXTRA_CA_CERTS
out=$(mktemp -d "${TMPDIR:-/tmp}/tsrun-asan-XXXXXX")
trap 'rm -rf "$out"' EXIT
echo "building the tree verbs with sanitizers"
bash scripts/asan-build.sh "$out"
npx tsx test/mutations/main.ts --verbs "$out" "$@"
