"""Receipts of forced logouts, however early, late or many."""

from __future__ import annotations

from typing import Any

import pytest

from seatd.hub.targets import LogoutTargets
from seatd.store.redis import Store
from seatd.store.values import KickedSession, Order
from tests.hub.conftest import Hubs, signed_in
from tests.licenses import Licensed
from tests.servers import eventually

ANN = LogoutTargets(users=("ann@acme.example",))


def receipt_of(session: str) -> Order:
    return Order(number=1, type="receipt", customer="acme", session=session, closed=True)


async def test_none_is_lost_however_many_come_before_the_answer(
    hubs: Hubs, store: Store, licensed: Licensed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 10,000 who are forced out the first have left before the last are found."""
    await licensed()
    hub = await hubs()
    await signed_in(hub, "ann", "CALL_CENTER")
    kick = store.kick

    async def answered_late(*args: Any, **options: Any) -> list[KickedSession]:
        kicked = await kick(*args, **options)
        await eventually(lambda: kicked[0].session in hub.logouts.receipts._early)
        for number in range(2000):
            hub.logouts.receipts.came(receipt_of(f"s{number}"))
        return kicked

    monkeypatch.setattr(store, "kick", answered_late)
    (receipt,) = await hub.logouts.logout(ANN, message="out", cooldown_s=0, by="boss", wait_s=30)
    assert receipt.outcome == "closed"
    assert hub.logouts.receipts._early == {}


async def test_one_that_nobody_waits_for_is_not_kept(hubs: Hubs) -> None:
    receipts = (await hubs()).logouts.receipts
    receipts.came(receipt_of("s1"))
    with receipts.asking():
        with receipts.asking():
            receipts.came(receipt_of("s2"))
        receipts.came(receipt_of("s3"))
        assert set(receipts._early) == {"s2", "s3"}
    assert receipts._early == {}


async def test_one_that_comes_too_late_is_pending_and_forgotten(
    hubs: Hubs, store: Store, licensed: Licensed
) -> None:
    await licensed()
    hub = await hubs()
    peer = await signed_in(hub, "ann", "CALL_CENTER")
    (receipt,) = await hub.logouts.logout(ANN, message="out", cooldown_s=0, by="boss", wait_s=0)
    assert (receipt.outcome, receipt.milliseconds) == ("pending", None)
    await peer.closed()
    assert hub.logouts.receipts._waiting == {}
