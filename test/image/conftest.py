"""Tests of the container image: what is in it, and how it runs."""
from harness.fixtures import _shared, archive, balance, bed, engine, gateway_image, namespace, own_cluster, root  # noqa: F401
