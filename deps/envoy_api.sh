#!/usr/bin/env bash
# Build the Envoy API as a static library from the descriptors in the pinned Envoy binary; print its folder
# (include/, lib/libenvoy_api.a, api.desc). Its code is generated, large and never changes between two pins, so it
# is built once per pin and list of roots (envoy_api.roots), into the cache.
. "$(dirname "$0")/common.sh"
key=$(cat <(echo "$ENVOY_VERSION $ENVOY_SHA256") "$deps/envoy_api.sh" "$deps/envoy_descriptors.py" "$deps/envoy_api.roots" <(protoc --version) <(g++ -dumpfullversion) | sha256sum | cut -c1-16)
home=$cache/envoy-api-$key
if [ ! -e "$home/lib/libenvoy_api.a" ]; then
  envoy=$("$deps/envoy.sh")
  work=$(mktemp -d "$cache/api.XXXXXX"); trap 'rm -rf "$work"' EXIT
  mkdir -p "$work/include" "$work/lib" "$work/obj"
  echo "building the Envoy $ENVOY_VERSION API (once; cached afterwards)" >&2
  python3 "$deps/envoy_descriptors.py" "$envoy" "$work/api.desc" >&2
  python3 "$deps/envoy_api_files.py" "$work/api.desc" "$deps/envoy_api.roots" >"$work/files"
  xargs protoc --descriptor_set_in="$work/api.desc" --cpp_out="$work/include" <"$work/files"
  protoc --descriptor_set_in="$work/api.desc" --grpc_out="$work/include" --plugin=protoc-gen-grpc="$(command -v grpc_cpp_plugin)" \
    envoy/service/discovery/v3/ads.proto
  python3 "$deps/envoy_api_unity.py" "$work/include" "$work/obj" "${API_UNITS:-14}"
  ls -S "$work"/obj/*.cc | xargs -P "${JOBS:-$(nproc)}" -I{} g++ -std=c++17 -O1 -w -I"$work/include" -c {} -o {}.o
  ar rcs "$work/lib/libenvoy_api.a" "$work"/obj/*.o
  find "$work/include" -name '*.cc' -delete
  rm -rf "$work/obj" "$home"
  mv "$work" "$home"
  chmod 0755 "$home"
  trap - EXIT
fi
echo "$home"
