"""Tests of the documentation: its commands do what it says."""
from harness.fixtures import _shared, archive, balance, bed, engine, gateway_image, namespace, own_cluster, root  # noqa: F401
