#!/bin/sh
# Runs the unit tests on each Python from 3.11 on: those named in PYTHONS, else those on PATH and of pyenv.
set -eu
cd "$(dirname "$0")/.."
uv=${VENV:-.venv}/bin/uv
found=""
for version in 11 12 13; do
  for python in ${PYTHONS:-python3.$version "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.$version.*/bin/python}; do
    path=$(command -v "$python" 2>/dev/null) || continue
    "$path" -c "import sys; sys.exit(sys.version_info[:2] != (3, $version))" 2>/dev/null || continue
    found="$found $path"
    break
  done
done
[ -n "$found" ] || { echo "no Python 3.11, 3.12 or 3.13 found; name them in PYTHONS" >&2; exit 1; }

failed=""
for python in $found; do
  name=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  venv=.cache/pythons/$name
  echo "== Python $name ($python)"
  [ -x "$venv/bin/python" ] || "$uv" venv -q -p "$python" "$venv"
  VIRTUAL_ENV=$PWD/$venv "$uv" pip install -q --compile-bytecode --require-hashes -r requirements.lock
  VIRTUAL_ENV=$PWD/$venv "$uv" pip install -q --no-deps -e .
  "$venv/bin/python" -m pytest -q -p no:cacheprovider -n "${JOBS:-auto}" -m 'not slow' tests/unit tests/integration || failed="$failed $name"
done
[ -z "$failed" ] || { echo "failed on Python:$failed" >&2; exit 1; }
