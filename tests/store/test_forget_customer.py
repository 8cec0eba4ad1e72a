"""The last step of a customer's deletion: everything goes but the audit trail and figures, and only when nobody is left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from seatd.store.audit_values import SYSTEM, Change, Deed
from seatd.store.keys import CUSTOMER_KEYS, customer_key
from seatd.store.redis import Store
from seatd.store.scripts import load
from seatd.store.values import UnknownCustomer
from tests.conftest import Clock
from tests.licenses import Licensed
from tests.store.office import Office, person

DEED = Deed(by=SYSTEM, action="test")


async def facts(store: Store, place: str = "account", **fields: Any) -> None:
    async def decide() -> Sequence[Change]:
        return [Change(place=place, field=name, before="?", after=value) for name, value in fields.items()]

    await store.amend("acme", DEED, decide, creates=True)


async def left(store: Store) -> set[str]:
    names = {name: customer_key(name, store.partition("acme"), "acme") for name in CUSTOMER_KEYS}
    return {name for name, key in names.items() if await store.client.exists(key)}


async def is_due(office: Office) -> bool:
    due = (await office.beat("n1")).licenses
    return any((item.customer, item.license) == ("acme", "") for item in due)


LEFT = {"audit", "invoices", "meters", "spread", "usage"}
"""The trail, statements, and counts that name nobody."""


def test_every_key_of_a_customer_goes_but_the_trail_statements_and_figures() -> None:
    assert set(CUSTOMER_KEYS) - set(load()["forget_customer"].keys) == LEFT


async def test_all_is_gone_and_the_trail_is_left(office: Office, store: Store, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 5, id="cc")
    await licensed("QUALITY_AUDITOR", 5, id="qa", kind="nominal")
    await store.assign("acme", "qa", person("ann"), domain="acme.example")
    await facts(store, "users", **{person("ann"): {"name": "Ann"}})
    await facts(store, delete_at_ms=1, status="deleted")
    assert await store.forget_customer("acme")
    assert {"audit"} <= await left(store) <= LEFT
    assert (await store.customers(), await store.former_customers()) == ([], ["acme"])
    assert (await office.beat("n1")).licenses == ()
    assert not await store.forget_customer("acme")


async def test_not_while_somebody_is_there(
    office: Office, store: Store, clock: Clock, licensed: Licensed
) -> None:
    await licensed("CALL_CENTER", 5)
    ann = await office.open("ann", "CALL_CENTER", session="ann")
    await facts(store, delete_at_ms=1, status="deleted")
    assert await is_due(office)
    assert not await store.forget_customer("acme")
    assert not await is_due(office)
    await office.close(ann)
    clock.pass_ms(10_000)
    assert await is_due(office)
    assert await store.forget_customer("acme")


@pytest.mark.parametrize("status", [None, "suspended", "pending_deletion"])
async def test_not_one_that_is_not_to_go(
    office: Office, store: Store, clock: Clock, status: str | None
) -> None:
    await facts(store, name="Acme", status=status, delete_at_ms=clock.now_ms + 5)
    assert not await store.forget_customer("acme")
    assert (await store.account("acme")).name == "Acme"
    assert not await is_due(office)
    clock.pass_ms(5)
    assert await is_due(office)
    await facts(store, delete_at_ms=None)
    assert not await is_due(office)


async def test_what_was_decided_before_it_was_forgotten_does_not_bring_it_back(
    store: Store, licensed: Licensed
) -> None:
    await licensed("CALL_CENTER", 5, id="cc")
    await facts(store, delete_at_ms=1, status="deleted")

    async def decide() -> Sequence[Change]:
        if await store.has_customer("acme"):
            await store.forget_customer("acme")
        return [Change(place="account", field="name", after="Acme")]

    for _ in range(2):
        with pytest.raises(UnknownCustomer):
            await store.change_account("acme", DEED, decide)
    assert (await store.customers(), await left(store) & {"account"}) == ([], set())
    assert await store.change_account("acme", DEED, decide, creates=True)
    assert await store.customers() == ["acme"]
