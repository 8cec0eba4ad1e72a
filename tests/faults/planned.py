"""Faults that have no story yet, and why: they are reported as not run."""

from __future__ import annotations

from tests.faults.fault import later

POLICIES = "its story: until then see tests/scenarios/test_policies.py"

_PLANNED = (
    ("F41", "a license ends, hard and soft", "hard: all closed at most 1 s later; soft: nobody", POLICIES),
    (
        "F42",
        "limit 100 lowered to 40 at 100 used; with eviction",
        "use never grows, no grant until below 40; exactly the 60 newest go",
        POLICIES,
    ),
    ("F51", "256 file descriptors", "503 for the rest; no crash; recovers", "its story"),
    ("F52", "24 h of everything at random", "memory and descriptors steady; no violation", "its story"),
    ("F53", "two faults at once, at random, 60 min", "no violation", "its story"),
    ("F54", "two versions side by side", "no protocol error; the same rules hold", "a second version"),
)

for _fault in _PLANNED:
    later(*_fault)
