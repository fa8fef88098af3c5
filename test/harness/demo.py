"""`make demo-kubernetes`: every command that it prints does what it says. `python -m harness.demo printed WORK`, inside its own
namespaces (started through netns.command()), where the ports that it uses are free."""
import os
import re
import subprocess

from . import gateway, paths
from .scenario import expect, main

SCRIPT = paths.ROOT / "scripts" / "demo-kubernetes"


async def printed(work):
    environment = {**os.environ, "EMISSARY_BINARY": str(paths.emissary()), "DEMO_STATE": str(work / "demo"), "DETACH": "1"}

    def shell(command):
        done = subprocess.run(["bash", "-c", command], cwd=paths.ROOT, env=environment, text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        expect(done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    async def answered(command, backend=""):
        async def probe():  # a change may still be on its way
            told = shell(command)
            return None if f'"backend": "{backend}' in told else told
        expect((complaint := await gateway.eventually(probe)) is None, f"{command}: {complaint}")

    commands = re.findall(r"^  (\S.*)$", shell(f"{SCRIPT} start"), re.M)
    expect(sum(c.startswith("curl ") for c in commands) > 5 and any("kubectl patch" in c for c in commands), f"too few: {commands}")
    for command in commands:
        if command.startswith("curl "):
            await answered(command)
        else:
            shell(command)
    await answered("curl -s http://localhost:8080/quote/back || true", "quote")  # the instance that was killed
    expect("ended" in shell(f"{SCRIPT} stop"), "it does not end")


async def run(_, work):
    try:
        await printed(work)
    finally:  # for where there is no namespace of processes
        subprocess.run([SCRIPT, "stop"], env={**os.environ, "DEMO_STATE": str(work / "demo")}, stdout=subprocess.DEVNULL, check=False)


if __name__ == "__main__":
    main(run)
