"""An OCI image archive, written without an engine. The same files give the same bytes: names in order, owners and times fixed."""
import gzip
import hashlib
import io
import json
import os
import pathlib
import tarfile

import root

MEDIA = "application/vnd.oci.image."
LEVEL = 6  # of compression; 9 would save half a per cent


def digest(path):
    with open(path, "rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()


def blob(folder, content):
    name = hashlib.sha256(content).hexdigest()
    (folder / name).write_bytes(content)
    return {"digest": "sha256:" + name, "size": len(content)}


def header(name, entry, epoch):
    info = tarfile.TarInfo(name)
    info.mtime, info.mode, info.uid, info.gid = epoch, entry.mode, entry.owner, 0
    if entry.link is not None:
        info.type, info.linkname, info.mode = tarfile.SYMTYPE, entry.link, 0o777
    elif entry.content is None:
        info.type = tarfile.DIRTYPE
    else:
        info.size = entry.size()
    return info


def pack(files, path, epoch):
    """A plain tar of these files."""
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
        for name, entry in root.with_folders(files).items():
            content = entry.content
            with (open(content, "rb") if isinstance(content, pathlib.Path) else io.BytesIO(content or b"")) as data:
                tar.addfile(header(name, entry, epoch), data if content is not None else None)


def layer(title, files, work, epoch):
    """(descriptor, digest of what is compressed). One that was compressed before is not again: Envoy takes seconds."""
    plain = work / f"{title}.tar"
    pack(files, plain, epoch)
    plain_digest = digest(plain)
    kept = work / (plain_digest.removeprefix("sha256:") + ".gz")
    if not kept.exists():
        beside = kept.with_suffix(f".{os.getpid()}")
        with open(plain, "rb") as source, open(beside, "wb") as file, gzip.GzipFile("", "wb", LEVEL, file, mtime=0) as out:
            while data := source.read(1 << 20):
                out.write(data)
        beside.rename(kept)
    plain.unlink()
    packed = digest(kept)
    target = work / "blobs" / packed.removeprefix("sha256:")
    if not target.exists():
        os.link(kept, target)
    return {"mediaType": MEDIA + "layer.v1.tar+gzip", "digest": packed, "size": kept.stat().st_size,
            "annotations": {"org.opencontainers.image.title": title}}, plain_digest


def build(layers, config, labels, name, architecture, created, epoch, work, archive):
    """`layers`: {title: files}. The image's digest, and the size of each layer."""
    blobs = work / "blobs"
    blobs.mkdir(parents=True, exist_ok=True)
    for old in blobs.iterdir():
        old.unlink()
    made = {title: layer(title, files, work, epoch) for title, files in layers.items()}
    image = {"created": created, "architecture": architecture, "os": "linux", "config": {**config, "Labels": labels},
             "rootfs": {"type": "layers", "diff_ids": [plain for _, plain in made.values()]},
             "history": [{"created": created, "created_by": title} for title in made]}
    encode = lambda thing: json.dumps(thing, sort_keys=True, separators=(",", ":")).encode()  # noqa: E731
    manifest = {"schemaVersion": 2, "mediaType": MEDIA + "manifest.v1+json",
                "config": {"mediaType": MEDIA + "config.v1+json", **blob(blobs, encode(image))},
                "layers": [descriptor for descriptor, _ in made.values()], "annotations": labels}
    described = {"mediaType": manifest["mediaType"], **blob(blobs, encode(manifest)),
                 "platform": {"architecture": architecture, "os": "linux"},
                 "annotations": {"org.opencontainers.image.ref.name": name, "io.containerd.image.name": name}}
    index = {"schemaVersion": 2, "mediaType": MEDIA + "index.v1+json", "manifests": [described]}
    files = {"oci-layout": root.Entry(b'{"imageLayoutVersion":"1.0.0"}', mode=0o644), "index.json": root.Entry(encode(index), mode=0o644)}
    for path in blobs.iterdir():
        files[f"blobs/sha256/{path.name}"] = root.Entry(path, mode=0o644)
    beside = archive.with_name(f".{archive.name}.{os.getpid()}")
    pack(files, beside, epoch)
    beside.rename(archive)
    return described["digest"], {title: descriptor["size"] for title, (descriptor, _) in made.items()}
