"""The image: `scripts/image` calls this. --help lists the arguments.

Four layers, what changes least first: what Envoy needs of Debian, Envoy, the control plane's libraries, the control plane with the list of
all that is in the image."""
import argparse
import pathlib
import re
import sys

import oci
import root
import sbom

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parents[1]
SBOM = "usr/share/doc/emissary/sbom.spdx.json"


def config():
    return {
        "User": f"{root.USER}:0",
        # Probes come from outside a container; on a machine of its own the program listens on loopback alone.
        "Env": ["PATH=/usr/bin", "AMBASSADOR_HEALTHCHECK_BIND_ADDRESS=0.0.0.0"],
        "Entrypoint": ["/usr/bin/emissary", "run"],
        "ExposedPorts": {"8080/tcp": {}, "8443/tcp": {}, "8877/tcp": {}},
        "WorkingDir": "/",
        "StopSignal": "SIGTERM",
    }


def labels(version, envoy_version, arguments):
    told = {"title": "emissary", "description": "API gateway for Kubernetes: control plane and Envoy", "version": version,
            "revision": arguments.revision, "source": arguments.source, "licenses": "Apache-2.0", "created": sbom.time(arguments.epoch)}
    return {"org.opencontainers.image." + name: value for name, value in told.items() if value} | {"io.envoyproxy.version": envoy_version}


def versions(emissary, envoy):
    ours = re.match(r"emissary (\S+)", root.run(emissary, "version"))
    theirs = re.search(r"version: [0-9a-f]+/(\d+\.\d+\.\d+[^/]*)/", root.run(envoy, "--version"))
    if not ours or not theirs:
        raise root.Unusable(f"{emissary if not ours else envoy} does not tell its version")
    return ours[1], theirs[1]


def layers(arguments):
    """{title: files}, and the list of contents."""
    emissary, envoy = arguments.emissary, arguments.envoy
    version, envoy_version = versions(emissary, envoy)
    base, libraries, packages = root.system(emissary, envoy)
    digests = {name: oci.digest(path).removeprefix("sha256:") for name, path in (("emissary", emissary), ("envoy", envoy))}
    listing = sbom.document(version, envoy_version, digests, packages, architecture(), arguments.epoch)
    licence = root.Entry((SOURCE / "LICENSE").read_bytes(), mode=0o644)
    return version, envoy_version, {
        "base": base,
        "envoy": {"usr/bin/envoy": root.Entry(envoy), "usr/share/doc/envoy/LICENSE": licence},
        "libraries": libraries,
        "emissary": {"usr/bin/emissary": root.Entry(emissary), "usr/share/doc/emissary/LICENSE": licence, SBOM: root.Entry(listing, mode=0o644)},
    }, listing


def architecture():
    return root.run("dpkg", "--print-architecture").strip()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--emissary", type=pathlib.Path, default=SOURCE / "build" / "emissary")
    parser.add_argument("--envoy", type=pathlib.Path, required=True, help="the Envoy to ship")
    parser.add_argument("--out", type=pathlib.Path, default=SOURCE / "build" / "emissary-image.tar", help="the archive; the SBOM lies beside it")
    parser.add_argument("--root", type=pathlib.Path, help="write the root file system into this empty folder instead")
    parser.add_argument("--work", type=pathlib.Path, default=SOURCE / "build" / "image", help="where layers are kept")
    parser.add_argument("--revision", default="unknown", help="the commit it was built from")
    parser.add_argument("--source", default="", help="the URL of the sources, for the label")
    parser.add_argument("--epoch", type=int, default=0, help="the time that everything in it tells (SOURCE_DATE_EPOCH)")
    arguments = parser.parse_args()
    arguments.emissary, arguments.envoy = arguments.emissary.resolve(), arguments.envoy.resolve()
    version, envoy_version, parts, listing = layers(arguments)
    if arguments.root:
        return root.write({name: entry for files in parts.values() for name, entry in files.items()}, arguments.root)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    told, sizes = oci.build(parts, config(), labels(version, envoy_version, arguments), f"emissary:{version}", architecture(),
                            sbom.time(arguments.epoch), arguments.epoch, arguments.work, arguments.out)
    arguments.out.with_name("emissary-image.spdx.json").write_bytes(listing)
    ours = sizes["libraries"] + sizes["emissary"]
    for title, size in sizes.items():
        print(f"layer {title}: {size / 1e6:.1f} MB")
    print(f"{arguments.out}: emissary:{version}, {told}")
    print(f"compressed: Envoy {envoy_version} {sizes['envoy'] / 1e6:.1f} MB, control plane with its libraries {ours / 1e6:.1f} MB")


if __name__ == "__main__":
    try:
        main()
    except (root.Unusable, OSError) as error:
        sys.exit(f"image: {error}")
