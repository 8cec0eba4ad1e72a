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
from tests.licenses import Licensed, license_claim, license_key
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


async def test_one_that_is_gone_leaves_nothing_new(office: Office, store: Store, licensed: Licensed) -> None:
    """Its people may still have tokens: neither their names nor figures are kept, and it does not come back by itself."""
    await licensed("CALL_CENTER", 5, id="cc")
    await facts(store, delete_at_ms=1, status="deleted")
    assert await store.forget_customer("acme")
    before = await left(store)
    for products in ((), ("CALL_CENTER",)):
        denied = await office.refused("bob", *products)
        assert (denied.code, denied.product) == ("suspended", next(iter(products), None))
        assert (await office.refused("bob", *products, unseated=True)).code == "suspended"
    denial = {
        "code": "not_entitled",
        "product": "EMAIL",
        "domain": "acme.example",
        "user": person("bob"),
        "times": 1,
    }
    await store.note_denials("acme", [denial])
    assert await left(store) == before
    assert (await store.customers(), await store.former_customers()) == ([], ["acme"])


async def test_one_that_is_gone_may_be_made_anew(office: Office, store: Store, licensed: Licensed) -> None:
    await facts(store, delete_at_ms=1, status="deleted")
    assert await store.forget_customer("acme")
    await licensed("CALL_CENTER", 5, id="cc")
    assert (await store.customers(), await store.former_customers()) == (["acme"], [])
    await office.open("bob", "CALL_CENTER")
    assert (await office.refused("eve", "EMAIL")).code == "not_licensed"


async def test_one_that_was_made_by_hand_is_there_again(office: Office, store: Store) -> None:
    await facts(store, delete_at_ms=1, status="deleted")
    assert await store.forget_customer("acme")
    await facts(store, name="Acme")
    await office.open("bob")


@pytest.mark.parametrize("dry_run", [False, True])
async def test_one_that_is_being_deleted_takes_no_license(
    store: Store, licensed: Licensed, *, dry_run: bool
) -> None:
    """It would be gone with the customer a moment later."""
    await licensed("CALL_CENTER", 5, id="cc")
    await facts(store, delete_at_ms=1, status="deleted")
    key = license_key(license_claim("chat", "CHAT"), jti="newer", iat=1_800_000_000)
    assert (await store.put_license(key, dry_run=dry_run, deed=DEED)).status == "deleted"
    assert [row.id for row in await store.registry()] == ["cc"]


@pytest.mark.parametrize("status", [None, "suspended", "pending_deletion"])
async def test_not_one_that_is_not_to_go(
    office: Office, store: Store, clock: Clock, status: str | None
) -> None:
    await facts(store, name="Acme", status=status, delete_at_ms=clock.now_ms + 5)
    assert not await store.forget_customer("acme")
    assert (await store.account("acme")).name == "Acme"
    assert not await is_due(office)
    clock.pass_ms(10_000)
    assert await is_due(office)
    assert not await store.forget_customer("acme")
    assert not await is_due(
        office
    )  # whoever found it due goes by another clock, and asks again at every beat
    clock.pass_ms(10_000)
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
