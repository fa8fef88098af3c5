#!/usr/bin/env bash
# The path of promtool, which checks and tests alert rules: taken out of Debian's package of Prometheus, which is not installed (it
# would bring a server that starts, and thirteen other packages). Fetched once, 19 MB.
. "$(dirname "$0")/common.sh"
home=$cache/promtool-$(sha256sum <"$deps/promtool.sh" | cut -c1-16)
if [ ! -x "$home/promtool" ]; then
  work=$(mktemp -d "$cache/promtool.XXXXXX"); trap 'rm -rf "$work"' EXIT
  cd "$work"
  # apt checks what it fetches; as root it would warn that its own user may not write here.
  fetch() { apt-get download -qq -o APT::Sandbox::User=root prometheus >log 2>&1; }
  # The package lists of a fresh image are empty or old: fetch them only when the first try says so.
  fetch || { apt-get update -qq -o DPkg::Lock::Timeout=300 >&2; fetch; } || { cat log >&2; exit 1; }
  dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x ./usr/bin/promtool
  mkdir -p "$home"
  mv usr/bin/promtool "$home/promtool"
fi
echo "$home/promtool"
