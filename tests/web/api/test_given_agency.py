"""Giving customers to an agency that is just being deleted: nobody is left with one that is not there."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from seatd.store.redis import Store
from tests.web.api.test_agencies import made
from tests.web.conftest import Site

AGENCY = "/api/v1/agencies/wholesale"


async def move(site: Site, agency: str = "wholesale") -> Any:
    status, body = await site.call("PUT", "/api/v1/customers/acme/agency", json={"agency": agency})
    return body.get("code", status)


async def delete(site: Site) -> Any:
    status, body = await site.call("DELETE", AGENCY)
    return body["code"] if body else status


async def dangles(site: Site) -> bool:
    accounts = await site.services.store.accounts(await site.services.store.customers())
    return not {account.agency for account in accounts} <= {"", *await site.services.store.agencies()}


def once_after(monkeypatch: pytest.MonkeyPatch, name: str, then: Any) -> None:
    """Does something else once, after this was asked of the store the first time."""
    real = getattr(Store, name)

    async def late(self: Store, *args: Any) -> Any:
        found = await real(self, *args)
        if getattr(Store, name) is late:
            monkeypatch.setattr(Store, name, real)
            await then()
        return found

    monkeypatch.setattr(Store, name, late)


@pytest.mark.parametrize("former", ["", "former"])
async def test_who_is_moved_to_one_that_goes_has_the_former_one_again(
    site: Site, monkeypatch: pytest.MonkeyPatch, former: str
) -> None:
    await site.imported()
    await made(site)
    await made(site, "former")
    await move(site, former)
    once_after(monkeypatch, "agency", lambda: delete(site))
    assert await move(site) == "unknown_agency"
    assert (await site.services.store.account("acme")).agency == former
    assert not await dangles(site)


async def test_who_is_made_for_one_that_goes_has_none(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    await made(site)
    once_after(monkeypatch, "agency", lambda: delete(site))
    _, body = await site.call("POST", "/api/v1/customers", json={"id": "new", "agency": "wholesale"})
    assert body["code"] == "unknown_agency"
    assert not await dangles(site)


async def test_one_that_is_given_a_customer_stays(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    await site.imported()
    agency = await made(site, name="Wholesale")
    once_after(monkeypatch, "customers_of", lambda: move(site))
    assert await delete(site) == "agency_in_use"
    assert await site.call("GET", AGENCY) == (200, {**agency, "customers": 1})


@pytest.mark.parametrize("turn", range(5))
async def test_at_once(site: Site, turn: int) -> None:
    await site.imported()
    await made(site)

    async def moved() -> None:
        await asyncio.sleep(turn / 1000)
        await move(site)

    await asyncio.gather(moved(), delete(site))
    assert not await dangles(site)
