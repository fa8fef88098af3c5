#!/usr/bin/env bash
# The folder with kube-apiserver, kube-controller-manager, kubectl, etcd and helm, of the versions in deps/kubernetes/go.mod; prints its
# path. The first call builds them from their Go modules, some ten minutes of one core (half a minute of it is helm, which is made of
# much the same packages); they are static, and stay in the cache.
. "$(dirname "$0")/common.sh"
home=$cache/kubernetes-$(cat "$deps/kubernetes/go.mod" "$deps/kubernetes/go.sum" "$deps/kubernetes.sh" | sha256sum | cut -c1-16)
if [ ! -d "$home" ]; then
  # Two builds at once: the second waits, then finds it made.
  exec 9>"$cache/kubernetes.lock"
  flock 9
  if [ ! -d "$home" ]; then
    go=$("$deps/go.sh")
    echo "building a Kubernetes API server for the tests: once, some minutes" >&2
    work=$cache/kubernetes.work
    rm -rf "$work"
    trap 'rm -rf "$work"' EXIT
    mkdir -p "$work/tmp" "$work/bin"
    # What Go downloads and compiles on the way (5 GB) is of no use afterwards and goes, unless folders of one's own are named.
    export GOMODCACHE=${GOMODCACHE:-$work/modules} GOCACHE=${GOCACHE:-$work/objects} GOTMPDIR=$work/tmp
    export GOTOOLCHAIN=local GOWORK=off CGO_ENABLED=0 GOFLAGS='-mod=readonly -modcacherw -trimpath -buildvcs=false'
    version=$(awk '$1 == "k8s.io/kubernetes" { print $2 }' "$deps/kubernetes/go.mod")
    IFS=. read -r major minor _ <<<"${version#v}"
    of=k8s.io/component-base/version
    set_version="-X $of.gitVersion=$version -X $of.gitMajor=$major -X $of.gitMinor=$minor -X $of.gitTreeState=clean"
    helm=$(awk '$1 == "helm.sh/helm/v3" { print $2 }' "$deps/kubernetes/go.mod")
    of=helm.sh/helm/v3
    set_version+=" -X $of/internal/version.version=$helm -X $of/pkg/chartutil.k8sVersionMajor=$major -X $of/pkg/chartutil.k8sVersionMinor=$minor"
    cd "$deps/kubernetes"
    for program in etcd=go.etcd.io/etcd/server/v3 k8s.io/kubernetes/cmd/{kube-apiserver,kube-controller-manager,kubectl} helm.sh/helm/v3/cmd/helm; do
      name=${program%%=*}
      nice -n 5 "$go" build -p "${JOBS:-$(nproc)}" -ldflags "-s -w $set_version" -o "$work/bin/${name##*/}" "${program#*=}" >&2
    done
    mv "$work/bin" "$home"
  fi
fi
echo "$home"
