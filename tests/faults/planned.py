"""Faults that have no story yet, and why: they are reported as not run."""

from __future__ import annotations

from tests.faults.fault import later

_PLANNED = (
    ("F52", "24 h of everything at random", "memory and descriptors steady; no violation", "its story"),
    ("F53", "two faults at once, at random, 60 min", "no violation", "its story"),
    ("F54", "two versions side by side", "no protocol error; the same rules hold", "a second version"),
)

for _fault in _PLANNED:
    later(*_fault)
