#!/usr/bin/env bash
# Feeds each fuzz target for so many seconds (10 unless told): tests/fuzz/run.sh [SECONDS] [TARGET…]
# New inputs stay in a folder of their own below target/fuzz; the corpus beside this file is only read. What breaks a
# target is left in tests/fuzz/artifacts. Without sanitizer, as the code is without unsafe; so the usual toolchain does.
# Exit code 77: there is no cargo-fuzz here.
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=${1:-10}
shift || true
targets=("$@")
if [ "${#targets[@]}" = 0 ]; then
  targets=(archive table description wire endpoints)
fi
tools=${LABFERRY_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/labferry-tools}
PATH=$PATH:$tools/bin
if ! command -v cargo-fuzz >/dev/null; then
  echo "cargo-fuzz is not installed (cargo install cargo-fuzz)" >&2
  exit 77
fi
# Archives and tables are read from files: in memory where there is such a place.
if [ -z "${TMPDIR:-}" ] && [ -w /dev/shm ]; then
  TMPDIR=$(mktemp -d /dev/shm/labferry-fuzz.XXXXXX)
  trap 'rm -rf "$TMPDIR"' EXIT
  export TMPDIR
fi
export CARGO_INCREMENTAL=0
build=$PWD/target/fuzz
options=(--fuzz-dir tests/fuzz --target-dir "$build" -s none)
if [ "$seconds" -lt 60 ]; then
  # A short run is for seeing that the targets build and hold; optimizing them would take longer than the run.
  options+=(--dev)
fi

for target in "${targets[@]}"; do
  found=$build/found/$target
  mkdir -p "$found"
  seeds=("$found" "tests/fuzz/corpus/$target")
  if [ "$target" = wire ]; then
    seeds+=(tests/golden/analytics_automated tests/golden/biodock tests/golden/code_ocean tests/golden/seven_bridges)
  fi
  echo "fuzz $target for $seconds s"
  cargo fuzz run "${options[@]}" "$target" "${seeds[@]}" -- \
    -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 2>&1 |
    { grep -vE '^#|NEW|REDUCE|INFO|^stat::(peak|slow|new)|^\s*\[[0-9, ]+\]$' || true; } | tail -n 40 || exit 1
done
