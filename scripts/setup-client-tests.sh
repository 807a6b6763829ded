#!/usr/bin/env bash
# Installs what the client tests need: a Python environment below target/ with
# the clients of tests/clients/requirements.txt, their versions fixed there.
# Safe to run again; does nothing that is done already.
set -euo pipefail
cd "$(dirname "$0")/.."

requirements=tests/clients/requirements.txt
venv=${CARGO_TARGET_DIR:-target}/clients

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Debian has Python without the module that makes environments.
if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
    command -v apt-get >/dev/null || {
        echo "not found: python3 with venv; install it with your system's package manager" >&2
        exit 1
    }
    echo "installing python3-venv"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3 python3-venv >/dev/null
fi

if cmp -s "$requirements" "$venv/installed.txt" && "$venv/bin/python" -c '' 2>/dev/null; then
    exit 0
fi
echo "installing the clients into $venv"
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$requirements"
cp "$requirements" "$venv/installed.txt"
