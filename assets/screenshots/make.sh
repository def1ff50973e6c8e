#!/usr/bin/env bash
# Takes the pictures of the README: each view, light and dark, small and large, from the real program in a real window.
# Needs what packaging/linux/install-test-packages.sh installs.
#
# usage: assets/screenshots/make.sh PROGRAM
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
SECONDS_AT_MOST=900 DRIVER=$here/make.py exec "$here/../../tests/window/run.sh" "$1"
