"""The table of faults: what is done, and by which figure it is judged."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tests.faults.trial import Trial

Story = Callable[["Trial"], Awaitable[None]]


class Fault(NamedTuple):
    """One line of the matrix. `story` does it and measures. `seconds`: how long it takes at the defaults (a guess, for the
    time left). `heavy`: left out of short runs unless named. `long`: goes on for as long as the run is told."""

    id: str
    title: str
    criterion: str
    story: Story
    seconds: float = 60.0
    heavy: bool = False
    long: bool = False


class NotRun(Exception):
    """Raised by a story that cannot be told here; says why."""


FAULTS: dict[str, Fault] = {}


def fault(
    id_: str, title: str, criterion: str, *, seconds: float = 60.0, heavy: bool = False, long: bool = False
) -> Callable[[Story], Story]:
    """Enters a story into the table."""

    def enter(story: Story) -> Story:
        assert id_ not in FAULTS, id_
        FAULTS[id_] = Fault(id_, title, criterion, story, seconds=seconds, heavy=heavy, long=long)
        return story

    return enter


class Figure(NamedTuple):
    """What was measured, and what it should have been."""

    name: str
    value: float
    bound: str
    ok: bool

    def __str__(self) -> str:
        value = f"{self.value:g}" if abs(self.value) < 1000 else f"{self.value:.0f}"
        return f"{self.name} {value}{'' if not self.bound else f' ({self.bound})'}"
