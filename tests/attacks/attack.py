"""The list of attacks: each has a test that tries it, or a sentence that says why nothing is done against it.

`docs/security.md` shows what is declared here (`python -m tests.attacks.table` writes it).
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

Test = TypeVar("Test", bound=Callable[..., object])

NUMBERS = tuple(f"S{number:02}" for number in range(1, 79))
_ROOT = Path(__file__).resolve().parents[2]


class Attack(NamedTuple):
    """An attack that is tried. `left`: what of it is not defended against."""

    number: str
    tried: str
    answer: str
    left: str
    test: str
    file: str


class Undefended(NamedTuple):
    """An attack that seatd does nothing against, and why."""

    number: str
    tried: str
    reason: str


ATTACKS: list[Attack] = []
UNDEFENDED: list[Undefended] = []


def attack(number: str, tried: str, answer: str, *, left: str = "") -> Callable[[Test], Test]:
    """Declares a test: what is tried, what seatd does, and what is left. The test's name begins with the number."""

    def declare(test: Test) -> Test:
        name = test.__name__
        if not re.match(rf"test_{number.lower()}_", name):
            raise ValueError(f"{name} must begin with test_{number.lower()}_")
        file = Path(inspect.getfile(test)).resolve().relative_to(_ROOT).as_posix()
        ATTACKS.append(Attack(number, tried, answer, left, name, file))
        return test

    return declare


def undefended(number: str, tried: str, reason: str) -> None:
    """Declares that nothing is done against an attack."""
    UNDEFENDED.append(Undefended(number, tried, reason))
