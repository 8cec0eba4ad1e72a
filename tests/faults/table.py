"""All faults, by number: importing the families enters them."""

from __future__ import annotations

from tests.faults import nodes
from tests.faults.fault import FAULTS, Fault

__all__ = ["faults", "nodes"]


def faults() -> list[Fault]:
    """Every fault of the matrix, in its order."""
    return sorted(FAULTS.values(), key=lambda fault: fault.id)
