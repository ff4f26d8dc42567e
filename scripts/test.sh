#!/usr/bin/env bash
# Runs all the tests: unit tests, the helper's tests, and end-to-end scenarios with the real CLI as root against the real
# kernel, a real registry and the real docker, podman, buildah, skopeo and umoci (installed when they are missing).
#   scripts/test.sh [ava pattern…]      without a pattern: everything
set -euo pipefail
cd "$(dirname "$0")/.."
# Node 20 parses this file at every start (about 40 ms); the tests do not need it.
unset NODE_EXTRA_CA_CERTS

say() { printf '==> %s\n' "$*"; }
[ "$(id -u)" = 0 ] || { echo "test: the tests make containers, so they need root" >&2; exit 1; }
for file in build/Release/tsrun-runtime build/Release/tsrun.node dist/cli.cjs dist/busybox.tar; do
  [ -e "$file" ] || { echo "test: $file is missing; run ./setup first" >&2; exit 1; }
done

# What the tests compare with, or use as real parts.
oracles=(docker.io chromium podman buildah runc skopeo umoci docker-registry mmdebstrap tmux strace iproute2 zstd xz-utils libcap2-bin attr nftables openssl)
missing=()
for package in "${oracles[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q ' installed$' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  say "installing what the tests compare with: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq -o DPkg::Lock::Timeout=600 update
  # policy-rc.d: a package must not start its daemon on the machine.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e $policy ]; then printf '#!/bin/sh\nexit 101\n' >$policy && chmod +x $policy && trap 'rm -f '$policy EXIT; fi
  apt-get -qq -o DPkg::Lock::Timeout=600 install -y --no-install-recommends "${missing[@]}" >/dev/null
fi

counts=$(mktemp)
rm -f "$counts"
status=0
patterns=("$@")
[ ${#patterns[@]} -gt 0 ] || patterns=('test/**/*.test.ts')
say "running ${patterns[*]}"
npx --no-install ava --tap "${patterns[@]}" | node scripts/tap.mjs "$counts" || status=1
read -r passed failed skipped < <(node -p 'const c = JSON.parse(require("fs").readFileSync(process.argv[1])); `${c.passed} ${c.failed} ${c.skipped}`' "$counts")
rm -f "$counts"
if [ "$skipped" -gt 0 ] && [ -n "${CI:-}" ]; then
  echo "test: a skip is an error in CI" >&2
  status=1
fi
[ "$failed" -eq 0 ] || status=1
[ "$passed" -gt 0 ] || status=1
echo "$passed passed, $failed failed, $skipped skipped"
exit $status
