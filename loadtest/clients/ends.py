"""How connections end, and which ends somebody asked for."""

from __future__ import annotations

from seatd_protocol import codes

ENDED = {code.number for code in (codes.NORMAL, codes.REPLACED, codes.LOGOUT)}
"""Said bye, lives elsewhere, was logged out: what a scenario asks for."""
TURNED_AWAY = {code.number for code in (codes.OVERLOADED, codes.DENIED)}
"""To who has no session yet, an answer of the contract."""
BUSY = (429, 503)
"""Of HTTP: the same, before the upgrade."""


def is_lost(code: int, *, was_live: bool, wanted: bool) -> bool:
    """Whether a session has lost its connection without anybody's wish."""
    return was_live and not (wanted or code in ENDED)


def is_expected(code: int, *, was_live: bool, wanted: bool, comes_back: bool) -> bool:
    """Whether an end is no error: somebody asked for it, it is an answer, its node drains, or somebody brings the session
    back (`comes_back`). To be cut before any answer is none of it."""
    if is_lost(code, was_live=was_live, wanted=wanted):
        return comes_back or code == codes.MOVING.number
    return wanted or code in ENDED or code in TURNED_AWAY
