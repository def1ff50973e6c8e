#!/usr/bin/env bash
# What run.sh does inside the session bus: a keyring, then the tests one after the other.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
program=$1 scratch=$2

printf test | gnome-keyring-daemon --unlock --components=secrets --foreground >"$scratch/keyring.log" 2>&1 &
keyring=$!
trap 'kill "$keyring" 2>/dev/null || true' EXIT
# It is there when it answers.
for _ in $(seq 100); do
  printf x | secret-tool store --label=ready labferry-test ready 2>/dev/null && break
  kill -0 "$keyring" 2>/dev/null || { cat "$scratch/keyring.log"; exit 1; }
  sleep 0.1
done

echo "── key in a real keyring"
"$here/keyring.sh" "$program" "$scratch"
echo "── main job in the window"
/usr/bin/python3 -B "$here/drive.py" "$program" "$scratch"
