"""All faults, by number: importing the families enters them."""

from __future__ import annotations

from tests.faults import (
    clients,
    clocks,
    cluster,
    disks,
    hosts,
    network,
    nodes,
    planned,
    queue_faults,
    replicas,
    sentinel,
    stores,
    wakeups,
)
from tests.faults.fault import FAULTS, Fault

__all__ = [
    "clients",
    "clocks",
    "cluster",
    "disks",
    "faults",
    "hosts",
    "network",
    "nodes",
    "planned",
    "queue_faults",
    "replicas",
    "sentinel",
    "stores",
    "wakeups",
]


def faults() -> list[Fault]:
    """Every fault of the matrix, in its order."""
    return sorted(FAULTS.values(), key=lambda fault: fault.id)
