"""Inputs made by chance out of a target's seeds: plain edits, thousands a second, the same for the same random source."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from tests.fuzz.target import Target

LONGEST = 20_000
EDITS = ("overwrite", "flip", "insert", "word", "cut", "repeat", "splice")
WORDS = (b"\x00", b"\xff", b"\n", b"", b"-1", b"0", b"9" * 30, b'"', b"\\ud800")
"""Good anywhere."""


def inputs(target: Target, random: Random) -> Iterator[bytes]:
    """The seeds, then without end seeds with a few edits."""
    seeds = tuple(target.seeds())
    words = (*target.words, *WORDS)
    yield from seeds
    while True:
        data = random.choice(seeds)
        for _ in range(random.choice((1, 1, 1, 2, 3, 5))):
            data = _edited(data, seeds, words, random)[:LONGEST]
        yield data


def _edited(data: bytes, seeds: tuple[bytes, ...], words: tuple[bytes, ...], random: Random) -> bytes:
    at, end = sorted((random.randint(0, len(data)), random.randint(0, len(data))))
    match random.choice(EDITS):
        case "overwrite":
            return data[:at] + random.randbytes(random.randint(1, 4)) + data[at + 1 :]
        case "flip":
            return (
                data[:at]
                + bytes(byte ^ 1 << random.randrange(8) for byte in data[at : at + 1])
                + data[at + 1 :]
            )
        case "insert":
            return data[:at] + random.randbytes(random.randint(1, 8)) + data[at:]
        case "word":
            return data[:at] + random.choice(words) + data[random.choice((at, end)) :]
        case "cut":
            return data[:at] + data[end:]
        case "repeat":
            return data[:at] + data[at:end] * random.choice((2, 3, 10, 300)) + data[end:]
        case _:  # splice
            return data[:at] + random.choice(seeds)[at:]
