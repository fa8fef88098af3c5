"""The files of the image. Nothing but what the two programs need: no shell, no package manager, no interpreter.

The libraries are those of the machine that built build/emissary, hence the ones it was linked and tested with; each is compared with
what its Debian package says it is. Pure but for reading: the same machine gives the same files."""
import dataclasses
import hashlib
import pathlib
import re
import subprocess

USER = 8888  # as upstream's; group 0, so that any other user id in that group may do the same
LOADER = re.compile(r"^\s*(?:\S+ => )?(/\S+) \(0x", re.M)
# Compiled into build/emissary, so in no list of shared libraries.
COMPILED_IN = ("libluajit-5.1-dev", "nlohmann-json3-dev", "libcli11-dev")
SYSTEM = ("base-files", "ca-certificates")  # licences' texts and os-release; authorities


class Unusable(Exception):
    pass


@dataclasses.dataclass(frozen=True)
class Entry:
    """A file (`content`: bytes, or the path of a large one), a link (`link`) or a folder."""
    content: bytes | pathlib.Path | None = None
    link: str | None = None
    mode: int = 0o755
    owner: int = 0

    def size(self):
        return self.content.stat().st_size if isinstance(self.content, pathlib.Path) else len(self.content or b"")


@dataclasses.dataclass(frozen=True)
class Package:
    name: str
    version: str
    source: str
    shipped: bool  # False: compiled into our own program


def text(content):
    return Entry(content.encode(), mode=0o644)


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={"LC_ALL": "C", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
    if done.returncode != 0:
        raise Unusable(f"{' '.join(map(str, command))}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def libraries(program):
    """Paths of the shared libraries, the loader among them."""
    done = subprocess.run(["ldd", program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if "not found" in done.stdout:
        raise Unusable(f"{program} needs libraries that are not here:\n{done.stdout}")
    return {pathlib.Path(path) for path in LOADER.findall(done.stdout)} if done.returncode == 0 else set()  # else it is static


def canonical(path):
    """/lib and /usr/lib are one folder; in the image the second. The last part stays: it is the name that programs ask for."""
    return path.parent.resolve() / path.name


class Debian:
    """What dpkg knows of this machine."""

    def __init__(self):
        self._sums = {}

    @staticmethod
    def owners(paths):
        """{path: package} of files. dpkg may know one by either of the two names that it has."""
        names = {name: path for path in paths for name in (str(path.resolve()), str(path.resolve()).removeprefix("/usr"))}
        done = subprocess.run(["dpkg-query", "-S", *names], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        known = {name: package for package, name in re.findall(r"^([^:, ]+)(?::\S+)?: (/.*)$", done.stdout, re.M)}
        owners = {names[name]: package for name, package in known.items() if name in names}
        for path in paths:
            if path not in owners:
                raise Unusable(f"{path} belongs to no Debian package: the image would hold what nobody can name")
        return owners

    def read(self, package, path):
        """The content of a package's file, as it was packed."""
        if package not in self._sums:
            listing = run("dpkg-query", "--control-show", package, "md5sums")
            self._sums[package] = {name: digest for digest, name in (line.split(None, 1) for line in listing.splitlines())}
        real = path.resolve()
        content = real.read_bytes()
        wanted = self._sums[package].get(str(real)[1:]) or self._sums[package].get(str(real).removeprefix("/usr")[1:])
        if wanted != hashlib.md5(content, usedforsecurity=False).hexdigest():
            raise Unusable(f"{real} is not the file that {package} brought: reinstall {package}")
        return content

    @staticmethod
    def packages(names, shipped=True):
        """Of names that are installed; {Package: what dpkg says of it}."""
        found = {}
        for told in run("dpkg-query", "-s", *names).split("\n\n"):
            fields = dict(re.findall(r"^(Package|Version|Source): (\S+)", told, re.M))
            if fields:
                name = fields["Package"]
                found[Package(name, fields["Version"], fields.get("Source", name), shipped)] = told.strip() + "\n"
        return dict(sorted(found.items(), key=lambda item: item[0].name))


def system(emissary, envoy):
    """(what Envoy needs, what the control plane needs besides, packages): the Debian part of the image."""
    debian = Debian()
    base = {"usr/bin": Entry(), "usr/sbin": Entry(), "root": Entry(mode=0o700), "tmp": Entry(mode=0o1777),
            "ambassador": Entry(mode=0o775, owner=USER)}
    for name in ("bin", "sbin", "lib", "lib64"):
        base[name] = Entry(link="usr/" + name)
    base |= {"usr/lib64": Entry(), **authorities(debian), **identity(debian)}
    for licence in sorted(pathlib.Path("/usr/share/common-licenses").iterdir()):
        base[str(licence)[1:]] = Entry(debian.read("base-files", licence), mode=0o644)
    needed = libraries(envoy)
    further = {path for path in libraries(emissary) if path not in needed}
    owners = debian.owners(sorted(needed | further))
    packages = debian.packages(sorted({*SYSTEM, *owners.values()})) | debian.packages(COMPILED_IN, shipped=False)
    told = {package.name: documents(package, text) for package, text in packages.items()}
    sides = []
    for files, paths, names in ((base, needed, set(SYSTEM)), ({}, further, set(COMPILED_IN))):
        names |= {owners[path] for path in paths}
        files |= {str(canonical(path))[1:]: Entry(debian.read(owners[path], path)) for path in sorted(paths)}
        for name in sorted(names):
            files |= told[name]
        sides.append(files)
    return *sides, list(packages)


def documents(package, told):
    """A package's licence, and what dpkg says of it where scanners look in images that have no package manager."""
    files = {f"usr/share/doc/{package.name}/copyright": Entry(pathlib.Path("/usr/share/doc", package.name, "copyright").read_bytes(), mode=0o644)}
    return files | ({f"var/lib/dpkg/status.d/{package.name}": text(told)} if package.shipped else {})


def authorities(debian):
    """Those that Debian trusts, and none that this machine trusts besides."""
    folder = pathlib.Path("/usr/share/ca-certificates/mozilla")
    bundle = b"".join(debian.read("ca-certificates", path).rstrip(b"\n") + b"\n" for path in sorted(folder.glob("*.crt")))
    return {"etc/ssl/certs/ca-certificates.crt": Entry(bundle, mode=0o644),
            "usr/lib/ssl/cert.pem": Entry(link="/etc/ssl/certs/ca-certificates.crt"), "usr/lib/ssl/certs": Entry(link="/etc/ssl/certs")}


def identity(debian):
    return {
        "etc/passwd": text(f"root:x:0:0:root:/root:/usr/sbin/nologin\nemissary:x:{USER}:0:emissary:/tmp:/usr/sbin/nologin\n"
                           "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"),
        "etc/group": text("root:x:0:\nnogroup:x:65534:\n"),
        "etc/nsswitch.conf": text("passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n"),
        "usr/lib/os-release": Entry(debian.read("base-files", pathlib.Path("/usr/lib/os-release")), mode=0o644),
        "etc/os-release": Entry(link="../usr/lib/os-release"),
    }


def with_folders(files):
    """The same, with every folder above a file; in the order of their names, so parents first."""
    whole = dict(files)
    for name in files:
        for parent in pathlib.PurePosixPath(name).parents:
            if str(parent) != ".":
                whole.setdefault(str(parent), Entry())
    return dict(sorted(whole.items()))


def write(files, folder):
    """Into an empty folder, for a Dockerfile to copy; owners need root."""
    import os
    import shutil
    folder = pathlib.Path(folder)
    for name, entry in with_folders(files).items():
        path = folder / name
        if entry.link is not None:
            path.symlink_to(entry.link)
            continue
        if entry.content is None:
            path.mkdir()
        elif isinstance(entry.content, pathlib.Path):
            shutil.copyfile(entry.content, path)
        else:
            path.write_bytes(entry.content)
        if entry.owner:
            os.chown(path, entry.owner, 0)
        path.chmod(entry.mode)
