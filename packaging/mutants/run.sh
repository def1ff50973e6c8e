#!/usr/bin/env bash
# Mutation testing of the rooms in which a fault would cost a job or a file: engine/decide, model/job, net/retry and
# results/unzip. Changes them one by one, and counts the changes that no test notices. Needs cargo-mutants.
#
# The whole program would be linked anew for each of some five hundred changes, so they are tried in a package that holds
# only these rooms and what they stand on: the same files, at the same places, with the same tests.
#
# usage: packaging/mutants/run.sh [OPTION OF cargo mutants…]     (for example --iterate, or --file 'src/model/job.rs')
# LABFERRY_MUTANTS names the folder it works in; it ends with 2 when a change went unnoticed, and missed.txt names those.
set -euo pipefail
cd "$(dirname "$0")/../.."
top=$PWD
work=${LABFERRY_MUTANTS:-${CARGO_TARGET_DIR:-$top/target}/mutants}
package=$work/package

if ! cargo mutants --version >/dev/null 2>&1; then
  echo "cargo-mutants is not installed: cargo install cargo-mutants --locked" >&2
  exit 77
fi

rm -rf "$package"
mkdir -p "$package"/src/{net,results,engine,store,providers} "$package/tests/it"
cp -r src/model "$package/src/"
cp src/net/retry.rs "$package/src/net/"
cp -r src/results/{disk.rs,names.rs,receipt.rs,unzip.rs,unzip} "$package/src/results/"
cp src/store/{folders,journal,migrations,opening,rows}.rs src/store/*.sql "$package/src/store/"
cp -r src/engine/{command,event,pace,plan,receipt,recovery,room,snapshot,view,world}.rs src/engine/{decide,plan} \
  "$package/src/engine/"
platforms=()
for facts in src/providers/*/facts.rs; do
  platform=$(basename "$(dirname "$facts")")
  platforms+=("$platform")
  mkdir "$package/src/providers/$platform"
  cp "$facts" "$package/src/providers/$platform/facts.rs"
done
cp -r tests/it/simulation.rs tests/it/simulation "$package/tests/it/"
echo "mod simulation;" >"$package/tests/it/main.rs"

cat >"$package/src/lib.rs" <<'END'
#![allow(warnings)]
pub mod model;
pub mod net {
    pub mod retry;
}
pub mod store {
    pub mod folders;
    pub mod journal;
    mod migrations;
    mod opening;
    mod rows;
}
pub mod results {
    pub mod disk;
    pub mod names;
    pub mod receipt;
    pub mod unzip;
}
pub mod engine {
    pub mod command;
    pub mod decide;
    pub mod event;
    pub mod pace;
    pub mod plan;
    pub mod receipt;
    pub mod recovery;
    pub mod room;
    pub mod snapshot;
    pub mod view;
    pub mod world;
}
pub mod providers;
END
{
  for platform in "${platforms[@]}"; do
    printf 'pub mod %s {\n    mod facts;\n    pub use facts::FACTS;\n}\n' "$platform"
  done
  printf 'pub struct Entry {\n    pub facts: &%sstatic crate::model::provider::ProviderFacts,\n}\n' "'"
  printf 'pub static ALL: &[Entry] = &[\n'
  printf '    Entry { facts: &%s::FACTS },\n' "${platforms[@]}"
  printf '];\n'
} >"$package/src/providers/mod.rs"

cp Cargo.lock "$package/"
{
  printf '[package]\nname = "labferry"\nversion = "0.0.0"\nedition = "2024"\n\n[workspace]\n\n[dependencies]\n'
  for name in async-trait backon base64 bytesize csv directories fastrand flate2 fs4 jiff regex reqwest rusqlite \
    sanitize-filename secrecy serde serde_json sha2 tempfile thiserror tokio tracing walkdir zip; do
    grep -m 1 "^$name = " Cargo.toml
  done
  printf '\n[dev-dependencies]\n%s\n' "$(grep -m 1 '^insta = ' Cargo.toml)"
  printf '\n[profile.dev]\ndebug = false\n'
} >"$package/Cargo.toml"

# The tests of unpacking sync thousands of small files; in memory that takes no time.
if [ -w /dev/shm ]; then
  mkdir "$package/.cargo"
  printf '[env]\nTMPDIR = { value = "/dev/shm", force = true }\n' >"$package/.cargo/config.toml"
fi

cd "$package"
# The unit tests of these rooms, then lives from seeds.
LABFERRY_SEEDS=${LABFERRY_SEEDS:-200} cargo mutants --file 'src/engine/decide/**' --file src/model/job.rs --file src/net/retry.rs \
  --file src/results/unzip.rs --file 'src/results/unzip/**' --exclude '**/tests.rs' --exclude '**/tests/**' \
  --timeout 90 --output "$work" "$@" -- --lib --test it -- --skip store::
