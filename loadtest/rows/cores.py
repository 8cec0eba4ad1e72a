"""Who runs where: what is measured has a core of its own, as far as the machine has two."""

from __future__ import annotations

import os
from collections.abc import Sequence

from loadtest.processes import children, on_any_core, on_core
from loadtest.server import Server


def apart(nodes: Sequence[Server]) -> None:
    """The nodes share one core; the store, which is the first one's, and this process share the other."""
    on_core(0, [node.pid for node in nodes])
    on_core(1, [*children(nodes[0].pid), os.getpid()])


def together() -> None:
    """This process runs on any core again, and so do the processes that it starts."""
    on_any_core([os.getpid()])
