#!/usr/bin/env bash
# The Python of the tests: a venv with exactly what test/requirements.txt pins, in the cache; prints the path of its python.
. "$(dirname "$0")/common.sh"
requirements=$deps/../test/requirements.txt
base=
for candidate in python3 /usr/bin/python3; do
  if "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then base=$candidate; break; fi
done
[ -n "$base" ] || { echo "deps/python.sh: no python3 with venv; run deps/install.sh test" >&2; exit 1; }
key=$({ cat "$requirements"; "$base" -c 'import sys; print(sys.version, sys.base_prefix)'; } | sha256sum | cut -c1-16)
home=$cache/python-$key
if [ ! -e "$home/ready" ]; then
  # Two builds at once: the second waits, then finds it made. A venv cannot be moved, hence not built aside.
  exec 9>"$cache/python.lock"
  flock 9
  if [ ! -e "$home/ready" ]; then
    rm -rf "$home"
    "$base" -m venv "$home" >&2
    "$home/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
      -r "$requirements" >&2
    touch "$home/ready"
  fi
fi
echo "$home/bin/python"
