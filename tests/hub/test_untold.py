"""Denials that a node gives by itself reach the store, added up, and wait while it is away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from seatd.hub.untold import KEPT, Untold
from seatd.metrics import Metrics
from seatd.store.values import Denied, StoreUnavailable


class Ear:
    """In place of a store: hears what it is told, or is away."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str | None, int]] = []
        self.away = False
        self.asked = 0

    async def note_denials(self, customer: str, denials: Sequence[Mapping[str, Any]]) -> None:
        self.asked += 1
        if self.away:
            raise StoreUnavailable("away")
        self.heard += [(item["code"], item["user"], item["times"]) for item in denials]


def made() -> tuple[Ear, Untold, Metrics]:
    ear, metrics = Ear(), Metrics(())
    return ear, Untold(ear, metrics), metrics  # type: ignore[arg-type]


async def test_they_are_added_up() -> None:
    ear, untold, _ = made()
    for user in ("a@x.test", "b@x.test", "a@x.test"):
        for code in ("unavailable", "not_entitled"):
            untold.note("acme", "x.test", user, Denied(code=code, product="EMAIL"))
    await untold.flush()
    assert sorted(ear.heard, key=str) == [
        ("not_entitled", "a@x.test", 2),
        ("not_entitled", "b@x.test", 1),
        ("unavailable", None, 3),
    ]
    await untold.flush()
    assert len(ear.heard) == 3


async def test_they_wait_while_the_store_is_away() -> None:
    ear, untold, _ = made()
    ear.away = True
    for customer in ("acme", "beta", "gamma"):
        untold.note(customer, "x.test", "a@x.test", Denied(code="unavailable"))
    await untold.flush()
    assert ear.asked == 1  # it is away for all of them
    ear.away = False
    await untold.flush()
    assert ear.heard == [("unavailable", None, 1)] * 3


async def test_there_is_a_limit_and_what_is_above_it_is_counted() -> None:
    ear, untold, metrics = made()
    ear.away = True
    for number in range(KEPT + 5):
        untold.note("acme", "x.test", f"u{number}@x.test", Denied(code="not_entitled"))
    untold.note("acme", "x.test", "u0@x.test", Denied(code="not_entitled"))
    await untold.flush()
    ear.away = False
    await untold.flush()
    assert len(ear.heard) == KEPT
    assert metrics.registry.get_sample_value("seatd_denials_untold_total") == 5


async def test_nothing_is_lost_by_a_fault_with_one_customer(monkeypatch: pytest.MonkeyPatch) -> None:
    ear, untold, _ = made()
    for customer in ("acme", "beta", "gamma"):
        untold.note(customer, "x.test", "a@x.test", Denied(code="unavailable"))
    note = ear.note_denials

    async def fails_for_beta(customer: str, denials: Sequence[Mapping[str, Any]]) -> None:
        if customer == "beta":
            raise ValueError("a bug")
        await note(customer, denials)

    with monkeypatch.context() as patched:
        patched.setattr(ear, "note_denials", fails_for_beta)
        with pytest.raises(ValueError, match="a bug"):
            await untold.flush()
        assert len(ear.heard) == 1
    await untold.flush()
    assert len(ear.heard) == 3
