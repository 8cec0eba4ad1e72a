"""The table of faults: what is done, and by which figure it is judged."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tests.faults.trial import Trial

Story = Callable[["Trial"], Awaitable[None]]


class Fault(NamedTuple):
    """One line of the matrix. `story` does it and measures; None: `waits_for` says what the product lacks until then.
    `seconds`: how long it takes at the defaults (a guess, for the time left). `heavy`: left out of short runs unless named.
    `lacks`: says why it cannot be run on this machine, or nothing."""

    id: str
    title: str
    criterion: str
    story: Story | None
    waits_for: str = ""
    seconds: float = 60.0
    heavy: bool = False
    lacks: Callable[[], str] | None = None

    @property
    def why_not(self) -> str:
        """Why it is not run; empty: it can be."""
        return self.waits_for or (self.lacks() if self.lacks else "")


FAULTS: dict[str, Fault] = {}


def fault(
    id_: str,
    title: str,
    criterion: str,
    *,
    seconds: float = 60.0,
    heavy: bool = False,
    lacks: Callable[[], str] | None = None,
) -> Callable[[Story], Story]:
    """Enters a story into the table."""

    def enter(story: Story) -> Story:
        assert id_ not in FAULTS or FAULTS[id_].story is None, id_  # what was planned is there now
        FAULTS[id_] = Fault(id_, title, criterion, story, seconds=seconds, heavy=heavy, lacks=lacks)
        return story

    return enter


def later(id_: str, title: str, criterion: str, waits_for: str) -> None:
    """Enters a fault that cannot be judged yet: it is reported as not run, unless it has its story by now."""
    FAULTS.setdefault(id_, Fault(id_, title, criterion, None, waits_for))


class Figure(NamedTuple):
    """What was measured, and what it should have been."""

    name: str
    value: float
    bound: str
    ok: bool

    def __str__(self) -> str:
        value = f"{self.value:g}" if abs(self.value) < 1000 else f"{self.value:.0f}"
        return f"{self.name} {value}{'' if not self.bound else f' ({self.bound})'}"
