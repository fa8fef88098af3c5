#!/usr/bin/env bash
# Install the Debian 12 packages that building or testing needs: deps/install.sh [build|test|lint|image]...  (default: build)
# Asks dpkg first, so that it costs nothing where all is there and needs root only where something is missing.
set -euo pipefail

build=(g++ cmake ninja-build ccache mold pkg-config binutils protobuf-compiler protobuf-compiler-grpc libprotobuf-dev
  libgrpc++-dev libyaml-dev nlohmann-json3-dev libcli11-dev libspdlog-dev libfmt-dev libre2-dev libssl-dev
  libcpp-httplib-dev libcurl4-openssl-dev libluajit-5.1-dev prometheus-cpp-dev libxxhash-dev libsimdjson-dev libgtest-dev libgmock-dev libbenchmark-dev
  python3 python3-pip ca-certificates)
# demo and tests: processes, namespaces, certificates, requests
test=(python3 python3-venv python3-pip iproute2 util-linux curl openssl ca-certificates procps)
lint=(clang-format-19 clang-tidy-19)
fuzz=(clang-19 libclang-rt-19-dev llvm-19)
bench=(wrk)
# what runs images in tests; building one needs none of it
image=(podman runc)

wanted=()
for set in "${@:-build}"; do
  case $set in
    build) wanted+=("${build[@]}") ;;
    test) wanted+=("${test[@]}") ;;
    lint) wanted+=("${lint[@]}") ;;
    fuzz) wanted+=("${fuzz[@]}") ;;
    bench) wanted+=("${bench[@]}") ;;
    image) wanted+=("${image[@]}") ;;
    *) echo "usage: deps/install.sh [build|test|lint|fuzz|bench|image]..." >&2; exit 2 ;;
  esac
done

if ! command -v dpkg-query >/dev/null; then
  echo "deps/install.sh: not a Debian system; the packages it would install: ${wanted[*]}" >&2
  exit 1
fi
installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' 2>/dev/null | awk '$1 == "installed" { print $2 }')
missing=()
for package in "${wanted[@]}"; do
  grep -qxF -- "$package" <<<"$installed" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" != 0 ]; then
  echo "deps/install.sh: missing packages; as root: apt-get install ${missing[*]}" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
echo "installing: ${missing[*]}" >&2
install() {
  apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 "${missing[@]}" >"$log" 2>&1
}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# The package lists of a fresh image are empty or old: fetch them only when the first try says so.
if ! install; then
  apt-get update -qq -o DPkg::Lock::Timeout=300 >&2
  install || { cat "$log" >&2; exit 1; }
fi
