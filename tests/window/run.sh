#!/usr/bin/env bash
# Starts the real program in a real window, on a display without a screen, with a session bus and a keyring of its own,
# and lets drive.py be the person. Needs what packaging/linux/install-test-packages.sh installs.
#
# usage: tests/window/run.sh [PROGRAM]     (builds the program when none is named)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."

program=${1:-}
if [ -z "$program" ]; then
  cargo build --locked
  program=${CARGO_TARGET_DIR:-target}/debug/labferry
fi
program=$(realpath "$program")

scratch=$(mktemp -d)
xvfb=
finish() {
  local code=$?
  if [ "$code" != 0 ]; then
    for log in "$scratch"/labferry.out "$scratch"/data/log/* "$scratch"/keyring/log/*; do
      [ -f "$log" ] && { echo "── $log"; tail -n 40 "$log"; }
    done
  fi
  [ -z "$xvfb" ] || kill "$xvfb" 2>/dev/null || true
  rm -rf "$scratch"
  exit "$code"
}
trap finish EXIT

# The server chooses a free number itself and writes it when it is ready.
Xvfb -displayfd 3 -screen 0 1600x1000x24 +extension GLX -nolisten tcp 3>"$scratch/display" 2>"$scratch/xvfb.log" &
xvfb=$!
for _ in $(seq 100); do
  [ -s "$scratch/display" ] && break
  kill -0 "$xvfb" 2>/dev/null || { cat "$scratch/xvfb.log"; exit 1; }
  sleep 0.1
done
DISPLAY=:$(cat "$scratch/display")
export DISPLAY
unset WAYLAND_DISPLAY LABFERRY_DATA_DIR LABFERRY_KEY
export HOME=$scratch/home XDG_RUNTIME_DIR=$scratch/runtime XDG_DATA_HOME=$scratch/home/data XDG_CONFIG_HOME=$scratch/home/config
export XDG_CACHE_HOME=$scratch/home/cache LIBGL_ALWAYS_SOFTWARE=1 GTK_A11Y=atspi NO_AT_BRIDGE=1
mkdir -p "$HOME" "$XDG_DATA_HOME" "$XDG_CONFIG_HOME" "$XDG_CACHE_HOME"
mkdir -m 700 -p "$XDG_RUNTIME_DIR"

timeout --kill-after=10 "${SECONDS_AT_MOST:-300}" dbus-run-session -- bash "$here/inside.sh" "$program" "$scratch"

# With another driver (the screenshots) that is all.
if [ -z "${DRIVER:-}" ]; then
  bash "$here/renderers.sh" "$program" "$scratch"
fi
