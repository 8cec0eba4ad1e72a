"""An event loop whose time passes only when nobody has anything to do: a simulated hour takes as long as its events."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class VirtualLoop(asyncio.SelectorEventLoop):
    """Never waits: the next timer's moment is now. Runs are repeatable, since nothing outside takes part."""

    def __init__(self) -> None:
        self._now_s = 0.0
        super().__init__(_Skip(self))

    def time(self) -> float:
        """Seconds since the simulation began."""
        return self._now_s

    def skip(self, seconds: float) -> None:
        """Lets time pass."""
        self._now_s += seconds


class _Skip(selectors.SelectSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("the simulation waits for something that cannot happen")
        if timeout > 0:
            self._loop.skip(timeout)
        return []


def simulated(main: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine to its end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
