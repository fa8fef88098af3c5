"""`make demo` and `make demo-kubernetes` as README tells of them: every command that they print does what it says. `python -m harness.demo
demo|demo_kubernetes WORK`, inside its own namespaces (started through netns.command()), where the ports that they use are free."""
import re

from . import bed, paths
from .scenario import Failed, expect, main
from .walkthrough import Reader


def printed(text):
    return re.findall(r"^  (\S.*)$", text, re.M)


def answered(reader, command, wanted):
    """A change may still be on its way."""
    try:
        bed.until(lambda: wanted in reader.type(command)[1], f"{wanted!r} printed by {command}")
    except TimeoutError as late:
        raise Failed(f"{late}\n{reader.said.read_text()}") from None


def try_all(reader, commands, wanted):
    """`wanted`: what is seen of those that a piece of text is in; the others are done."""
    expect(sum(command.startswith("curl ") for command in commands) > 5, f"too few: {commands}")
    for command in commands:
        seen = next((seen for piece, seen in wanted.items() if piece in command), None)
        answered(reader, command, seen) if seen else reader.done(command)


def demo(reader):
    reader.follow("README.md", "Try it")
    commands = printed(reader.shown.read_text())
    expect(any(command.startswith("sed ") for command in commands), f"no change: {commands}")
    try_all(reader, commands, {"secure.localhost": "location: https://secure.localhost", "/metrics": "emissary_config_generation", "check_ready": "",
                               "curl ": '"backend": "'})
    reader.follow("README.md", "A first Mapping")
    expect("the demo has ended" in reader.interrupt(), "Ctrl-C does not end it")
    reader.done("make demo DETACH=1")
    answered(reader, "curl -s http://localhost:8080/quote/hello", '"backend": "quote')
    expect("ended" in reader.done("make demo-stop"), "it does not end")
    expect(reader.type("curl -s http://localhost:8080/quote/hello")[0] == 7, "something listens still")


def demo_kubernetes(reader):
    def then(number):
        if number == 0:
            commands = printed(reader.said.read_text())
            expect(any("kubectl patch" in command for command in commands), f"no change: {commands}")
            try_all(reader, commands, {"curl ": '"backend": "'})
            answered(reader, "curl -s http://localhost:8080/quote/back", '"backend": "quote')  # the instance that was killed
    reader.follow("README.md", "Without a cluster", then)
    expect("ended" in reader.said.read_text(), "it does not end")


async def run(scenario, work):
    reader = Reader(work)
    try:
        {"demo": demo, "demo_kubernetes": demo_kubernetes}[scenario](reader)
    finally:  # for where there is no namespace of processes
        reader.type("make demo-stop demo-kubernetes-stop")


if __name__ == "__main__":
    main(run)
