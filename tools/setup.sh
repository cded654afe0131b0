#!/usr/bin/env bash
# Installs what Kiln builds with: Debian packages and a Python virtual environment. Idempotent; quick when nothing is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(clang-22 lld-22 liblld-22-dev llvm-22-dev llvm-22-tools libmlir-22-dev mlir-22-tools
          cmake ninja-build ccache g++ libxxhash-dev libgtest-dev python3-dev python3-venv
          libclang-rt-22-dev zlib1g-dev libzstd-dev)
missing=()
for package in "${packages[@]}"; do
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  as_root=(); [ "$(id -u)" = 0 ] || as_root=(sudo)
  echo "setup: installing ${missing[*]}"
  "${as_root[@]}" apt-get update -q
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
fi

# The system's interpreter, whatever else stands first on PATH: its headers come from python3-dev.
wanted=$(cat tools/requirements.txt)
if [ "$(cat .venv/installed.txt 2>/dev/null)" != "$wanted" ]; then
  [ -x .venv/bin/python ] || /usr/bin/python3 -m venv .venv
  .venv/bin/python -m pip install --quiet --disable-pip-version-check -r tools/requirements.txt
  printf '%s\n' "$wanted" > .venv/installed.txt
fi
.venv/bin/python tools/fetch-pocketfft .venv/include/pocketfft
