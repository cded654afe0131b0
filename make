#!/usr/bin/env bash
# As make, on a machine that has none yet: ./make demo, ./make test.
set -euo pipefail
cd "$(dirname "$0")"
command -v make >/dev/null || tools/setup.sh
exec make "$@"
