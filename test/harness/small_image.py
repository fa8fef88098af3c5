"""An image of one program of this machine and its libraries, for what a chart runs beside the gateway."""
import io
import pathlib
import re
import shutil
import subprocess
import tarfile


def build(engine, work, program, hosts):
    """Its name. `hosts`: {name: address}, since nobody plays a name server for Pods."""
    binary = shutil.which(program)
    libraries = re.findall(r"(/\S+) \(0x", subprocess.run(["ldd", binary], check=True, stdout=subprocess.PIPE, text=True).stdout)
    archive = work / f"{program}.tar"
    with tarfile.open(archive, "w") as tar:
        for path in (binary, *libraries):
            tar.add(pathlib.Path(path).resolve(), arcname=path.lstrip("/"))
        text = "".join(f"{address} {name}\n" for name, address in hosts.items()).encode()
        info = tarfile.TarInfo("etc/hosts")
        info.size = len(text)
        tar.addfile(info, io.BytesIO(text))
    name = f"localhost/{program}:test"
    engine.podman("import", "--quiet", archive, name)
    return name
