"""The sentences that a refused person reads."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from seatd.hub.fitting import fitting
from seatd.store import values
from seatd_protocol.codes import DENIAL_CODES
from seatd_protocol.messages import Denied, SessionInfo

if TYPE_CHECKING:
    from seatd.hub.session import Session


UNAVAILABLE = values.Denied(code="unavailable", retry_after_ms=5000)
"""What a client is told while the store is away."""


def deny(session: Session, denial: values.Denied, ref: int | None = None) -> None:
    """Counts a denial and tells the client. (What the store has denied it has counted, but for those of a recovery.)"""
    session.hub.count_denial(denial)
    if denial is not session.denied_by_store or denial.code == "recovering":
        note(session, denial)
    session.send(fitting(session.codec, denied(denial, ref)))


def note(session: Session, denial: values.Denied) -> None:
    """The store is to count what this node has denied by itself.

    A product that there is not is the client's own text, and would make a meter for ever: it is left out.
    """
    identity = session.identity
    if denial.product not in session.hub.catalog.products:
        denial = msgspec.structs.replace(denial, product=None)
    session.hub.untold.note(identity.customer, identity.domain, identity.user, denial)


def denied(denial: values.Denied, ref: int | None = None) -> Denied:
    """The message for a denial, with a sentence that says what to do about it."""
    retry_ms = denial.retry_after_ms
    return Denied(
        ref=ref,
        code=denial.code,
        product=denial.product,
        message=_sentence(denial),
        retry_after_s=None if retry_ms is None else max(1, math.ceil(retry_ms / 1000)),
        limit=denial.limit,
        used=denial.used,
        waiting=denial.waiting,
        holders=tuple(
            SessionInfo(session=own.session, device=own.device, since_ms=own.since_ms, seats=own.seats)
            for own in denial.holders
        ),
    )


def _sentence(denial: values.Denied) -> str:
    if denial.code == "no_seat" and denial.limit is not None:
        if denial.used is not None and denial.used < denial.limit:
            return f"No seat of {denial.product} is free for you: the free ones are kept for others."
        return f"All {denial.limit} seats of {denial.product} are in use."
    if denial.code == "cooldown" and denial.retry_after_ms is not None:
        return f"You were signed out. You may sign in again in {math.ceil(denial.retry_after_ms / 1000)} s."
    return DENIAL_CODES[denial.code].meaning
