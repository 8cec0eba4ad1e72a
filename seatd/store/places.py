"""Places in the engine's streams: `milliseconds-number`, as an entry's id says."""

from __future__ import annotations


def is_first(place: str | None) -> bool:
    """Whether no entry can stand before this place: `0-0`, in whatever number of noughts.

    The engine takes it for a mistake to be asked for what does.
    """
    if not place or "-" not in place:
        return False
    milliseconds, _, number = place.partition("-")
    return not milliseconds.strip("0") and not number.strip("0")
