"""Answers that could outgrow a frame: as many of the user's own sessions are told as one takes."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from seatd_protocol.codec import Codec
from seatd_protocol.messages import Denied, Sessions

Answer = TypeVar("Answer", Denied, Sessions)


def fitting(codec: Codec, answer: Answer) -> Answer:
    """The answer itself, or with fewer sessions (the last are left out) when it is too large for a frame."""
    name = "holders" if isinstance(answer, Denied) else "sessions"
    while (sessions := getattr(answer, name)) and not _fits(codec, answer):
        answer = msgspec.structs.replace(answer, **{name: sessions[:-1]})
    return answer


def _fits(codec: Codec, answer: Denied | Sessions) -> bool:
    try:
        codec.encode(answer)
    except ValueError:
        return False
    return True
