#!/usr/bin/env bash
# Labferry against programs nobody here wrote: the simulated platforms against the official Python SDKs of Code Ocean and
# Seven Bridges, the RO-Crate of a finished demo against its validator; in a virtual environment of their own, each program
# with sandboxes it starts and ends itself.
#
# usage: tests/sdk/run.sh [PROGRAM]     (target/debug/labferry when none is named)
# Ends with 77 where there is no Python, or no package index to get the SDKs from.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."

program=${1:-${CARGO_TARGET_DIR:-target}/debug/labferry}
if [ ! -x "$program" ]; then
  echo "$program is not there; cargo build makes it" >&2
  exit 2
fi
program=$(realpath "$program")

skip() {
  echo "The official SDKs were not tried: $1" >&2
  exit 77
}

python=${PYTHON:-python3}
command -v "$python" >/dev/null || skip "there is no $python"
"$python" -c 'import sys, venv; sys.exit(sys.version_info < (3, 10))' 2>/dev/null ||
  skip "$python is older than 3.10 or has no venv"

# Kept between runs; what is pinned is part of its name.
tools=${LABFERRY_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/labferry-tools}
pinned=$("$python" -c 'import hashlib, sys
text = open(sys.argv[1], "rb").read() + sys.version.encode()
print(hashlib.sha256(text).hexdigest()[:12])' "$here/requirements.txt")
environment=$tools/sdk-$pinned
if [ ! -e "$environment/complete" ]; then
  rm -rf "$environment"
  mkdir -p "$tools"
  "$python" -m venv "$environment" >/dev/null || skip "no virtual environment can be made"
  timeout 300 "$environment/bin/python" -m pip install --quiet --no-input --retries 2 \
    --requirement "$here/requirements.txt" </dev/null || skip "the SDKs cannot be installed"
  touch "$environment/complete"
fi

# No proxy stands between a program and its sandbox; nothing of the person who runs this is read.
unset HTTP_PROXY HTTPS_PROXY ALL_PROXY http_proxy https_proxy all_proxy SB_API_ENDPOINT SB_AUTH_TOKEN
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export HOME=$scratch NO_PROXY=127.0.0.1,localhost no_proxy=127.0.0.1,localhost PYTHONDONTWRITEBYTECODE=1

failed=0
for checks in code_ocean code_ocean_older seven_bridges seven_bridges_limits crates; do
  printf '%s\n' "$checks"
  timeout --kill-after=10 240 "$environment/bin/python" "$here/$checks.py" "$program" || failed=1
done
printf 'tables\n'
timeout --kill-after=10 240 "$python" "$here/tables.py" "$program" || failed=1
exit "$failed"
