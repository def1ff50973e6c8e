#!/usr/bin/env bash
# Installs what the real-window test needs on Debian and its kin: a display without a screen, a session bus,
# the accessibility bus, a keyring, and the libraries the window loads at run time. Wants to be root.
set -euo pipefail

packages=(
  # The window loads these at run time, so no package tool finds them.
  libx11-6 libx11-xcb1 libxcursor1 libxi6 libxkbcommon-x11-0 libgl1 libegl1 libgl1-mesa-dri libdbus-1-3
  # For the other renderer, where OpenGL does not start.
  mesa-vulkan-drivers
  # A person at a screen, without either.
  xvfb xauth xdotool scrot procps at-spi2-core dbus gir1.2-atspi-2.0 python3-gi python3-xlib
  # A real keyring, and a file picker.
  gnome-keyring libsecret-tools zenity
)

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  echo "Everything for the window test is installed."
  exit 0
fi
if [ "$(id -u)" != 0 ]; then
  echo "As root: apt-get install ${missing[*]}" >&2
  exit 1
fi

export DEBIAN_FRONTEND=noninteractive
# A mirror that is busy for a moment should not fail the whole run.
try() {
  local attempt
  for attempt in 1 2 3 4 5; do
    if "$@" </dev/null; then
      return 0
    fi
    echo "attempt $attempt of 5 failed: $*" >&2
    sleep $((attempt * 5))
  done
  return 1
}
options=(-q -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300)
try apt-get "${options[@]}" update
try apt-get "${options[@]}" install --yes --no-install-recommends "${missing[@]}"
