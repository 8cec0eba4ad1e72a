"""All faults, by number: importing the families enters them."""

from __future__ import annotations

from tests.faults import clients, network, nodes, planned, stores
from tests.faults.fault import FAULTS, Fault

__all__ = ["clients", "faults", "network", "nodes", "planned", "stores"]


def faults() -> list[Fault]:
    """Every fault of the matrix, in its order."""
    return sorted(FAULTS.values(), key=lambda fault: fault.id)
