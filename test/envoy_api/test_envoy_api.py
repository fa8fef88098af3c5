"""The API fields, messages and enum values that generated configuration uses, held against the descriptors inside the Envoy binary: an
older one ignores a field that it does not know, without a word. What is looked at: all golden cases, the manifests of all traffic
cases, and both forms of the bootstrap."""
import concurrent.futures
import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from harness import envoy_extensions, gateway, paths

sys.path.insert(0, str(paths.ROOT / "scripts"))
import envoy_api  # noqa: E402
import envoy_pins  # noqa: E402

GOLDEN = sorted((paths.TEST / "golden" / "cases").glob("*/envoy.json"))
TRAFFIC = sorted((paths.TEST / "traffic" / "cases").glob("*/manifests"))
DOGSTATSD = {"STATSD_ENABLED": "true", "DOGSTATSD": "true", "STATSD_HOST": "127.0.0.1", "DD_ENTITY_ID": "x"}


def compiled(manifests, into):
    done = subprocess.run([paths.emissary(), "compile", manifests], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
                          check=False)
    assert done.returncode in (0, 1), done.stderr
    out = into / f"{manifests.parent.name}.json"
    out.write_text(done.stdout)
    return out


def wait_for(condition):
    end = time.monotonic() + gateway.DEADLINE
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def bootstrap(folder, environment):
    """What `emissary run` writes for its Envoy, of which a script that keeps it takes the place."""
    folder.mkdir()
    kept, fake = folder / "bootstrap.json", folder / "envoy"
    fake.write_text(f"""#!/bin/sh
while [ $# -gt 1 ]; do
  if [ "$1" = -c ]; then cp "$2" {kept}.part && mv {kept}.part {kept}; fi
  shift
done
exec sleep 1000
""")
    fake.chmod(0o755)
    (folder / "config").mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        admin = free.getsockname()[1]
    process = subprocess.Popen([paths.emissary(), "run", "--config-dir", folder / "config", "--envoy", fake, "--admin-address",
                                f"127.0.0.1:{admin}"], env={**os.environ, **environment}, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(kept.exists)
    finally:
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    return kept


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("api")
    with concurrent.futures.ThreadPoolExecutor(2) as workers:
        from_traffic = list(workers.map(lambda manifests: compiled(manifests, folder), TRAFFIC))
    return [*GOLDEN, *from_traffic, bootstrap(folder / "plain", {}), bootstrap(folder / "dogstatsd", DOGSTATSD)]


def test_envoy_knows_what_is_used(files):
    api = envoy_api.Api(paths.envoy())
    names = envoy_api.used(api, files)
    assert len(names) > 500, "too little was looked at"
    assert not envoy_api.unknown(api, names)
    assert not set(envoy_api.deprecated(api, names)) - envoy_api.excused().keys()


def test_excuses_are_needed(files):
    """The newest Envoy calls deprecated what is said to be, and has what is said to be newer than the oldest one."""
    pins = [envoy_pins.current_pin(envoy_pins.CURRENT.read_text()), *envoy_pins.other_pins(envoy_pins.OTHERS.read_text())]
    versions = sorted((pin[0] for pin in pins), key=envoy_pins.numbers)
    api, oldest = envoy_api.Api(envoy_pins.binary(versions[-1])), envoy_api.Api(envoy_pins.binary(versions[0]))
    names = envoy_api.used(api, files)
    assert envoy_api.excused().keys() == set(envoy_api.deprecated(api, names))
    assert envoy_api.newer().keys() <= names & api.members.keys() - oldest.members.keys()


def test_what_is_not_there_is_seen(tmp_path):
    api = envoy_api.Api(paths.envoy())
    strange = tmp_path / "strange.json"
    strange.write_text(json.dumps({"clusters": [{
        "nonsense": 1, "respect_dns_ttl": True, "lb_policy": "BY_MOOD",
        "transport_socket": {"typed_config": {"@type": "type.googleapis.com/envoy.Missing"}}}]}))
    assert envoy_api.lacks(api, envoy_api.used(api, [strange])) == [
        "envoy.Missing is not known", "envoy.config.cluster.v3.Cluster.LbPolicy.BY_MOOD is not known",
        "envoy.config.cluster.v3.Cluster.nonsense is not known", "envoy.config.cluster.v3.Cluster.respect_dns_ttl is deprecated"]


def test_extensions_in_use_are_looked_for(files):
    """Each extension that generated configuration uses is known to the control plane, which withholds what an Envoy lacks; and what it
    knows has the right name."""
    looked_for, there = envoy_extensions.looked_for(), envoy_extensions.listed(paths.envoy())
    assert len(looked_for) > 30 and not looked_for - there.keys()
    uses = envoy_api.Uses(envoy_api.Api(paths.envoy()))
    for path in files:
        if not path.name.startswith("bootstrap"):
            uses.file(path)
    assert len(uses.types) > 20
    for name in uses.types:
        makers = {extension for extension, types in there.items() if name in types}
        assert not makers or makers & looked_for, f"{name} takes {makers}, which src/ir/envoy_build.cc does not name"
