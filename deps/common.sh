# Shared by deps/*.sh: where downloads and built dependencies are kept, outside the work tree, so that a
# fresh clone does not build them again. Keyed by what they are made of, so a stale one is never used.
set -euo pipefail
deps=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$deps/versions.env"
cache=${EMISSARY_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/emissary}
mkdir -p "$cache"
