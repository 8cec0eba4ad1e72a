"""A customer that is suspended gets nothing new, and keeps what it has."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from seatd.store.audit_values import SYSTEM, Change, Deed
from seatd.store.redis import Store
from seatd.store.values import Denied, Granted, Queued
from tests.licenses import Licensed
from tests.store.office import Office


async def set_status(store: Store, status: str | None) -> None:
    async def decide() -> Sequence[Change]:
        return [Change(place="account", field="status", before="?", after=status)]

    await store.amend("acme", Deed(by=SYSTEM, action="customer.status"), decide, creates=True)


@pytest.mark.parametrize("status", ["suspended", "deleted"])
async def test_no_new_grants(office: Office, store: Store, licensed: Licensed, status: str) -> None:
    await licensed("CALL_CENTER", 5)
    await licensed("QUALITY_AUDITOR", 5)
    ann = await office.open("ann", "CALL_CENTER", session="ann")
    await set_status(store, status)
    denied = await office.ask("bob", "CALL_CENTER")
    assert isinstance(denied, Denied)
    assert (denied.code, denied.product) == ("suspended", "CALL_CENTER")
    more = await office.acquire(ann, "ann", "QUALITY_AUDITOR")
    assert isinstance(more, Denied)
    assert more.code == "suspended"
    assert isinstance(await office.attach("ann", "ann", node="n2"), Granted)
    assert isinstance(await office.ask("eve"), Granted)  # the emergency path asks for no product
    await set_status(store, None)
    assert isinstance(await office.ask("bob", "CALL_CENTER"), Granted)


@pytest.mark.parametrize("status", ["active", "pending_deletion"])
async def test_other_states_are_as_normal(
    office: Office, store: Store, licensed: Licensed, status: str
) -> None:
    await licensed("CALL_CENTER", 5)
    await set_status(store, status)
    assert isinstance(await office.ask("bob", "CALL_CENTER"), Granted)


async def test_who_waits_is_turned_away(office: Office, store: Store, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 1)
    ann = await office.open("ann", "CALL_CENTER", session="ann")
    assert isinstance(await office.ask("bob", "CALL_CENTER", session="bob", wait=True), Queued)
    await set_status(store, "suspended")
    assert await office.close(ann)
    (order,) = (await office.beat("n1")).orders
    assert (order.type, order.code, order.session) == ("refused", "suspended", "bob")
