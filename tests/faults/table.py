"""All faults, by number: importing the families enters them."""

from __future__ import annotations

from tests.faults import (
    clients,
    clocks,
    cluster,
    crowded,
    disks,
    entitlement,
    full,
    hosts,
    network,
    nodes,
    queue_faults,
    replicas,
    sentinel,
    soak,
    stores,
    versions,
    wakeups,
)
from tests.faults.fault import FAULTS, Fault

__all__ = [
    "clients",
    "clocks",
    "cluster",
    "crowded",
    "disks",
    "entitlement",
    "faults",
    "full",
    "hosts",
    "network",
    "nodes",
    "queue_faults",
    "replicas",
    "sentinel",
    "soak",
    "stores",
    "versions",
    "wakeups",
]


def faults() -> list[Fault]:
    """Every fault of the matrix, in its order."""
    return sorted(FAULTS.values(), key=lambda fault: fault.id)
