#!/usr/bin/env bash
# Installs what Kiln builds with: Debian packages and a Python virtual environment. Idempotent; quick when nothing is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(clang-22 lld-22 liblld-22-dev llvm-22-dev llvm-22-tools libmlir-22-dev mlir-22-tools
          make cmake ninja-build ccache g++ libhwy-dev libxxhash-dev nlohmann-json3-dev libgtest-dev python3-dev python3-venv
          libclang-rt-22-dev zlib1g-dev libzstd-dev ca-certificates)
missing=()
for package in "${packages[@]}"; do
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else echo "setup: expected root, or sudo, to install ${missing[*]}" >&2; exit 2
  fi
}
is_offered() { [[ $(apt-cache policy "$1") == *'Candidate: '[0-9]* ]]; }

# LLVM 22 comes with the security updates of Debian 12. A minimal installation lists none: those beside its mirror are added.
add_security_updates() {
  local ID='' VERSION_CODENAME='' mirror
  . /etc/os-release
  mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' | sed -n "s|/* $VERSION_CODENAME main\$||p" | head -n 1)
  [ "$ID" = debian ] && [ -n "$mirror" ] || return 0
  echo "setup: adding $mirror-security to apt's sources, in /etc/apt/sources.list.d/kiln-security.list"
  echo "deb $mirror-security $VERSION_CODENAME-security main" | as_root tee /etc/apt/sources.list.d/kiln-security.list >/dev/null
  as_root apt-get update -q
}

if [ ${#missing[@]} -gt 0 ]; then
  echo "setup: installing ${missing[*]}"
  as_root apt-get update -q
  is_offered clang-22 || add_security_updates
  is_offered clang-22 || { echo "setup: expected clang-22 among apt's packages (Debian 12 with its security updates has it), found none" >&2; exit 2; }
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
fi

# The system's interpreter, whatever else stands first on PATH: its headers come from python3-dev.
wanted=$(cat tools/requirements.txt)
if [ "$(cat .venv/installed.txt 2>/dev/null)" != "$wanted" ]; then
  [ -x .venv/bin/python ] || /usr/bin/python3 -m venv .venv
  .venv/bin/python -m pip install --quiet --disable-pip-version-check -r tools/requirements.txt
  printf '%s\n' "$wanted" > .venv/installed.txt
fi
.venv/bin/python tools/fetch-pocketfft .venv/include/pocketfft
