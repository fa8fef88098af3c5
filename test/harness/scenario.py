"""A program of scenarios, run by `netns.command(module, scenario, work)`: what fails is said on standard error, with exit status 1."""
import asyncio
import pathlib
import sys
import traceback

from . import netns


class Failed(Exception):
    pass


def expect(condition, text):
    if not condition:
        raise Failed(text)


def main(run):
    """`await run(scenario, work)` in the network of this program."""
    netns.enter()
    try:
        asyncio.run(run(sys.argv[1], pathlib.Path(sys.argv[2])))
    except Failed as failed:
        sys.exit(f"{failed}")
    except Exception:
        sys.exit(traceback.format_exc())
