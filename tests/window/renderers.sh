#!/usr/bin/env bash
# Where OpenGL does not start the other renderer opens the window; where neither does, a native message says why.
# Works on a display without OpenGL of its own.
#
# usage: tests/window/renderers.sh PROGRAM SCRATCH-FOLDER
set -euo pipefail
program=$1
scratch=$2/renderers
mkdir -p "$scratch"

xvfb=
labferry=
finish() {
  local code=$?
  [ -z "$labferry" ] || kill "$labferry" 2>/dev/null || true
  [ -z "$xvfb" ] || kill "$xvfb" 2>/dev/null || true
  if [ "$code" != 0 ]; then
    tail -n 20 "$scratch"/*/log/* "$scratch"/said 2>/dev/null || true
  fi
  exit "$code"
}
trap finish EXIT

Xvfb -displayfd 3 -screen 0 1600x1000x24 -extension GLX -nolisten tcp 3>"$scratch/display" 2>"$scratch/xvfb.log" &
xvfb=$!
for _ in $(seq 100); do
  [ -s "$scratch/display" ] && break
  sleep 0.1
done
DISPLAY=:$(cat "$scratch/display")
export DISPLAY
export __EGL_VENDOR_LIBRARY_FILENAMES=/dev/null

# Waits until a window of this title belongs to this process or a child of it.
window_of() {
  local owner=$1 window holder
  for _ in $(seq 200); do
    for window in $(xdotool search --name '^Labferry' 2>/dev/null || true); do
      holder=$(xdotool getwindowpid "$window" 2>/dev/null || true)
      if [ -n "$holder" ] && { [ "$holder" = "$owner" ] || [ "$(ps -o ppid= -p "$holder" | tr -d ' ')" = "$owner" ]; }; then
        echo "$holder"
        return 0
      fi
    done
    sleep 0.1
  done
  return 1
}

"$program" demo --data-dir "$scratch/other" --into "$scratch/results" &
labferry=$!
window_of "$labferry" >/dev/null || { echo "without OpenGL no window opened"; exit 1; }
grep -q 'the window did not open' "$scratch"/other/log/* || { echo "OpenGL was there after all: this test proves nothing"; exit 1; }
echo "without OpenGL the other renderer opened the window"
kill "$labferry"
wait "$labferry" 2>/dev/null || true

VK_ICD_FILENAMES=/dev/null VK_DRIVER_FILES=/dev/null "$program" --data-dir "$scratch/neither" 2>"$scratch/said" &
labferry=$!
message=$(window_of "$labferry") || { echo "without any renderer no message came"; exit 1; }
[ "$message" != "$labferry" ] || { echo "a window opened without any renderer"; exit 1; }
kill "$message"
code=0
wait "$labferry" || code=$?
labferry=
[ "$code" = 1 ] || { echo "the exit code is $code"; exit 1; }
grep -q 'no usable OpenGL, and no usable Vulkan' "$scratch/said" || { echo "the reason was not said"; exit 1; }
echo "without any renderer a native message said why"
