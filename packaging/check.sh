#!/usr/bin/env bash
# Everything that must hold before a change goes in, cheapest first; the same for people and machines.
# Tools that are not installed are named and left out: typos, cargo-deny and cargo-machete are no part of Rust.
set -euo pipefail
cd "$(dirname "$0")/.."

step() {
  local name=$1 started=$SECONDS
  shift
  printf '\n── %s\n' "$name"
  "$@"
  printf '── %s: %d s\n' "$name" $((SECONDS - started))
}

optional() {
  local name=$1 program=$2
  shift 2
  if command -v "$program" >/dev/null; then
    step "$name" "$@"
  else
    printf '\n── %s: left out, %s is not installed\n' "$name" "$program"
  fi
}

documented() {
  RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --lib
}

optional "typos" typos typos
step "format" cargo fmt --check
step "lints" cargo clippy --locked --all-targets -- -D warnings
step "documentation" documented
step "tests" cargo test --locked
optional "licenses and sources" cargo-deny cargo deny --offline check bans licenses sources
optional "unused dependencies" cargo-machete cargo machete
