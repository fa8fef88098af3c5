"""What is in the image, as an SPDX 2.3 document: the two programs, and every Debian package that something was taken from."""
import datetime
import hashlib
import json
import uuid

MAKER = "Tool: emissary-image"


def document(version, envoy_version, digests, packages, architecture, epoch):
    """Bytes. `digests`: {"emissary": sha256, "envoy": sha256}."""
    entries = [program("emissary", version, "Apache-2.0", digests["emissary"]), program("envoy", envoy_version, "Apache-2.0", digests["envoy"])]
    relations = [relation("SPDXRef-DOCUMENT", "DESCRIBES", entry["SPDXID"]) for entry in entries]
    for package in packages:
        entry = debian(package, architecture)
        entries.append(entry)
        relations.append(relation("SPDXRef-emissary", "DEPENDS_ON", entry["SPDXID"]) if package.shipped else
                         relation(entry["SPDXID"], "STATIC_LINK", "SPDXRef-emissary"))
    body = {"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": f"emissary-{version}",
            "packages": entries, "relationships": relations}
    name = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).digest()[:16]
    body |= {"documentNamespace": f"urn:uuid:{uuid.UUID(bytes=name, version=5)}", "creationInfo": {"created": time(epoch), "creators": [MAKER]}}
    return (json.dumps(body, indent=1, sort_keys=True) + "\n").encode()


def time(epoch):
    return datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def program(name, version, licence, digest):
    return {"SPDXID": f"SPDXRef-{name}", "name": name, "versionInfo": version, "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
            "licenseConcluded": licence, "licenseDeclared": licence, "copyrightText": "NOASSERTION", "primaryPackagePurpose": "APPLICATION",
            "checksums": [{"algorithm": "SHA256", "checksumValue": digest}]}


def debian(package, architecture):
    purl = f"pkg:deb/debian/{quoted(package.name)}@{quoted(package.version)}?arch={architecture}&distro=debian-12"
    return {"SPDXID": "SPDXRef-deb-" + package.name.replace("+", "plus").replace("_", "-"), "name": package.name, "versionInfo": package.version,
            "supplier": "Organization: Debian", "downloadLocation": "NOASSERTION", "filesAnalyzed": False, "licenseConcluded": "NOASSERTION",
            "licenseDeclared": "NOASSERTION", "copyrightText": "NOASSERTION", "sourceInfo": f"built from the Debian source package {package.source}",
            "comment": f"licence: /usr/share/doc/{package.name}/copyright",
            "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl}]}


def quoted(text):
    return text.replace("%", "%25").replace("+", "%2B").replace(":", "%3A")


def relation(first, kind, second):
    return {"spdxElementId": first, "relationshipType": kind, "relatedSpdxElement": second}
