"""No reader of ours but a bug on purpose, by which the tests see that bugs are found."""

from __future__ import annotations

from tests.fuzz.target import Target


def run(data: bytes) -> None:
    if data[:4] == b"bug!":
        raise KeyError("planted")


TARGET = Target("planted", run, lambda: (b"bag!", b"no"), (b"bu", b"bug", b"!"))
