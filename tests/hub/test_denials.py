"""What a refused person is told."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from seatd.hub.denials import denied, note
from seatd.hub.fitting import fitting
from seatd.hub.tokens import Identity
from seatd.licensing.catalog import Catalog
from seatd.store import values
from seatd.store.values import OwnSession
from seatd_protocol.codec import CODECS, MAX_SERVER_FRAME, Codec
from seatd_protocol.codes import DENIAL_CODES
from seatd_protocol.messages import Denied, Device, Seat, SessionInfo, Sessions

WIDE = Device(kind="desktop", id="\U0001f4de" * 128, name="\U0001f4bb" * 64, version="\u00fc" * 64)
"""A device of the largest size that a client may name."""


@pytest.mark.parametrize("code", DENIAL_CODES)
def test_every_code_has_a_sentence(code: str) -> None:
    message = denied(values.Denied(code=code, product="CALL_CENTER"))
    assert (message.code, message.product, message.ref) == (code, "CALL_CENTER", None)
    assert message.message


def test_figures_are_in_the_sentence_and_beside_it() -> None:
    message = denied(values.Denied(code="no_seat", product="CALL_CENTER", limit=5, used=5), ref=3)
    assert (message.limit, message.used, message.ref) == (5, 5, 3)
    assert "5" in message.message
    assert "CALL_CENTER" in message.message


@pytest.mark.parametrize(
    ("milliseconds", "seconds"), [(1, 1), (999, 1), (1000, 1), (1001, 2), (60_000, 60), (0, 1)]
)
def test_a_wait_is_never_told_too_short(milliseconds: int, seconds: int) -> None:
    message = denied(values.Denied(code="cooldown", retry_after_ms=milliseconds))
    assert message.retry_after_s == seconds


def test_no_wait_is_told_where_none_helps() -> None:
    assert denied(values.Denied(code="not_licensed")).retry_after_s is None


def test_the_users_own_sessions_are_told() -> None:
    own = OwnSession(session="s1", device=WIDE, since_ms=7, seats=())
    (info,) = denied(values.Denied(code="no_seat", holders=(own,))).holders
    assert info == SessionInfo(session="s1", device=WIDE, since_ms=7, seats=())


def info(number: int) -> SessionInfo:
    seat = Seat(product="P" * 30, license="L" * 64, kind="nominal", holder="u" * 254, since_ms=1, until_ms=2)
    return SessionInfo(session=f"s{number}", device=WIDE, since_ms=1, seats=(seat,) * 12)


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
@pytest.mark.parametrize("count", [0, 1, 16])
def test_as_many_sessions_are_told_as_a_frame_takes(codec: Codec, count: int) -> None:
    infos = tuple(map(info, range(count)))
    answers: tuple[Denied | Sessions, ...] = (
        fitting(codec, Denied(code="no_seat", message="full", holders=infos)),
        fitting(codec, Sessions(ref=1, sessions=infos)),
    )
    for answer in answers:
        told = answer.holders if isinstance(answer, Denied) else answer.sessions
        assert told == infos[: len(told)]
        assert len(told) >= min(count, 3)
        assert len(codec.encode(answer)) <= MAX_SERVER_FRAME


@pytest.mark.parametrize(("product", "told"), [("CALL_CENTER", "CALL_CENTER"), ("X17", None), (None, None)])
def test_the_store_hears_of_products_that_there_are(product: str | None, told: str | None) -> None:
    """A client may ask for any text: what has its own name would have a meter of its own, for ever."""
    heard: list[str | None] = []
    session = SimpleNamespace(
        identity=Identity(user="ann@acme.example", domain="acme.example", customer="acme", expires_s=0),
        hub=SimpleNamespace(
            catalog=Catalog.load(),
            untold=SimpleNamespace(
                note=lambda _customer, _domain, _user, denial: heard.append(denial.product)
            ),
        ),
    )
    note(session, values.Denied(code="not_licensed", product=product))  # type: ignore[arg-type]
    assert heard == [told]
