"""A customer at one moment: its account, its licenses with their use, its sessions."""

from __future__ import annotations

import pytest

from seatd.store.redis import Store
from tests.licenses import DOMAIN, Licensed
from tests.store.office import Office


async def test_a_customer_without_anything(store: Store) -> None:
    overview = await store.overview("nobody")
    assert (overview.account.id, overview.account.name) == ("nobody", "")
    assert (overview.licenses, overview.sessions, overview.resources) == ((), 0, {})


@pytest.mark.parametrize("number", [1, 20])
async def test_what_is_used_of_many_licenses(
    store: Store, office: Office, licensed: Licensed, number: int
) -> None:
    for place in range(number):
        await licensed("CALL_CENTER" if place else "EMAIL", 5, id=f"l{place:02}", kind="competitive")
    await licensed("MOBILE", 9, id="m", kind="nominal")
    for user in ("anna", "bob"):
        await store.assign("acme", "m", f"{user}@{DOMAIN}", domain=DOMAIN)
    if number > 1:
        await office.open("anna", "CALL_CENTER")
    overview = await store.overview("acme")
    assert [row.id for row in overview.licenses] == [*(f"l{place:02}" for place in range(number)), "m"]
    used = {row.id: row.used for row in overview.licenses if row.used}
    assert used.pop("m") == 2
    assert sum(used.values()) == overview.sessions == overview.seats == (1 if number > 1 else 0)
