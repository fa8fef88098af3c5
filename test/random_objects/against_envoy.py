#!/usr/bin/env python3
"""Random sets of objects, many of them wrong, given to the real gateway one after another: Envoy must refuse nothing, acknowledge
everything, and both processes must live on. Prints one JSON object; exit 0 when that holds.

    against_envoy.py [--rounds 20] [--seed 1] [--objects 40] [--keep FOLDER]

What was written last stays in FOLDER. Runs in a network namespace of its own."""
import argparse
import asyncio
import copy
import json
import pathlib
import random
import subprocess
import sys
import tempfile

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import certs, gateway, netns  # noqa: E402

POOLS = yaml.safe_load((pathlib.Path(__file__).parent / "pools.yaml").read_text())
QUIET = 4  # looks in a row at which nothing moves


class Generator:
    def __init__(self, seed, authority):
        self.random = random.Random(seed)
        self.pair = {"$CERT": authority.render("${CERT:a.com}"), "$KEY": authority.render("${KEY:a.com}")}

    def pick(self, values):
        return copy.deepcopy(self.random.choice(values))

    def object(self):
        kinds = POOLS["kinds"]
        name = self.random.choices(list(kinds), [kind["weight"] for kind in kinds.values()])[0]
        kind = kinds[name]
        metadata = {"name": self.pick(kind["names"]), "labels": self.pick(kind.get("labels", POOLS["labels"]))}
        if not kind.get("cluster"):
            metadata["namespace"] = self.pick(POOLS["namespaces"])
        out = {"apiVersion": kind["api"], "kind": name, "metadata": metadata}
        body = out
        for step in kind.get("at", ["spec"]):
            body = body.setdefault(step, {})
        for field, values in kind["head"].items():
            body[field] = self.value(values)
        fields = list(kind["fields"])
        for field in self.random.sample(fields, min(len(fields), self.random.randint(0, 6))):
            body[field] = self.value(kind["fields"][field])
        return out

    def value(self, values):
        if self.random.random() < 0.04:
            return self.pick(POOLS["hostile"])
        return self.substitute(self.pick(values))

    def substitute(self, value):
        if isinstance(value, dict):
            return {k: self.substitute(v) for k, v in value.items()}
        if isinstance(value, list):
            return [self.substitute(v) for v in value]
        return self.pair.get(value, value) if isinstance(value, str) else value


def identity(item):
    metadata = item["metadata"]
    return item["kind"], metadata.get("namespace"), metadata["name"]


async def settled(one):
    """Wait until Envoy answered everything and nothing more comes."""
    quiet, last = 0, None

    async def probe():
        nonlocal quiet, last
        metrics = await asyncio.to_thread(one.metrics)
        now = (metrics["emissary_config_generation"], metrics["emissary_config_acked_generation"])
        quiet = quiet + 1 if now == last and now[0] == now[1] else 0
        last = now
        return None if quiet >= QUIET else f"published {now[0]}, acknowledged {now[1]}"
    return await gateway.eventually(probe)


async def run(options, work):
    authority = certs.Authority(work / "certs")
    manifests = gateway.Manifests(work / "config", authority)
    generator = Generator(options.seed, authority)
    objects = {}
    one = gateway.Gateway(work, manifests.folder)
    result = {"seed": options.seed, "rounds": 0, "refused": 0, "complaint": None}
    try:
        for number in range(options.rounds):
            for _ in range(options.objects if number % 5 == 0 else 5):
                item = generator.object()
                objects[identity(item)] = item
            for key in generator.random.sample(sorted(objects, key=str), min(len(objects), len(objects) // 4)):
                del objects[key]
            text = json.dumps({"kind": "List", "apiVersion": "v1", "items": list(objects.values())})
            (manifests.folder / "objects.json").write_text(text)
            if number == 0:
                one.start()
                await one.wait_ready()
            result["complaint"] = await settled(one)
            result["refused"] = one.metric("emissary_xds_nacks_total")
            result["rounds"] = number + 1
            if result["complaint"] or result["refused"]:
                break
    finally:
        if options.keep:
            options.keep.mkdir(parents=True, exist_ok=True)
            for file in [manifests.folder / "objects.json", one.log]:
                (options.keep / file.name).write_bytes(file.read_bytes())
    result["exit_code"] = await one.stop()
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--objects", type=int, default=40, help="new ones in every fifth round")
    parser.add_argument("--keep", type=pathlib.Path)
    parser.add_argument("--work", type=pathlib.Path)
    options = parser.parse_args()
    if not netns.inside():
        sys.exit(subprocess.run(netns.command("random_objects.against_envoy", *sys.argv[1:]), env=netns.environment(),
                                check=False).returncode)
    netns.enter()
    with tempfile.TemporaryDirectory(prefix="random.") as temporary:
        result = asyncio.run(run(options, options.work or pathlib.Path(temporary)))
    print(json.dumps(result))
    sys.exit(1 if result["refused"] or result["complaint"] or result["exit_code"] else 0)


if __name__ == "__main__":
    main()
