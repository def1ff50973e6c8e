#!/usr/bin/env bash
# What run.sh does inside the session bus: a keyring, then the tests one after the other.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
program=$1 scratch=$2

printf test | gnome-keyring-daemon --unlock --components=secrets --foreground >"$scratch/keyring.log" 2>&1 &
keyring=$!
trap 'kill "$keyring" 2>/dev/null || true' EXIT
# Asked for before this one has its name, the bus would start a second one, which is locked.
owned() {
  dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.NameHasOwner \
    string:org.freedesktop.secrets 2>/dev/null | grep -q 'boolean true'
}
ready=
for _ in $(seq 100); do
  if owned && printf x | timeout 5 secret-tool store --label=ready labferry-test ready 2>/dev/null; then
    ready=yes
    break
  fi
  kill -0 "$keyring" 2>/dev/null || break
  sleep 0.1
done
[ -n "$ready" ] || { echo "no keyring:"; cat "$scratch/keyring.log"; exit 1; }

# Another driver, such as that of the screenshots, comes instead of the tests.
if [ -n "${DRIVER:-}" ]; then
  /usr/bin/python3 -B "$DRIVER" "$program" "$scratch"
  exit 0
fi
echo "── key in a real keyring"
"$here/keyring.sh" "$program" "$scratch"
echo "── main job in the window"
/usr/bin/python3 -B "$here/drive.py" "$program" "$scratch"
