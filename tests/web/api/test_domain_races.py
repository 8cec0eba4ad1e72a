"""Whose a domain is while several make and delete it at once: one customer's, and an owner always has it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import nullcontext
from typing import Any

import pytest

from seatd.store.keys import partition_key
from seatd.store.redis import Store
from tests.web.api.test_domains import make, two_customers
from tests.web.conftest import Site

DOMAIN = "x.example"


class OtherNodes:
    """Who changes the same customer in one node takes turns (`Turns`); here everybody is in a node of his own."""

    def of(self, _trail: str) -> nullcontext[None]:
        return nullcontext()


async def who_has_it(site: Site) -> list[str]:
    """The customers that have the domain; the owner is one who has it, or there is none."""
    store = site.services.store
    having = [name for name in ("acme", "beta") if await store.fact(name, "domains", DOMAIN) is not None]
    assert [await store.owner_of(DOMAIN)] == (having or [None])
    return having


async def delete(site: Site) -> int:
    return (await site.call("DELETE", f"/api/v1/domains/{DOMAIN}"))[0]


async def test_what_is_made_again_while_it_is_deleted_stays(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    await two_customers(site)
    await make(site, DOMAIN)
    amend = Store.amend

    async def overtaken(self: Store, customer: Any, deed: Any, decide: Any) -> Any:
        done = await amend(self, customer, deed, decide)
        if deed.action == "domains.delete":  # it is gone, but not yet given up
            assert await make(site, DOMAIN) == (200, "acme")
        return done

    monkeypatch.setattr(Store, "amend", overtaken)
    assert await delete(site) == 204
    assert await make(site, DOMAIN, "beta") == (409, "domain_taken")
    assert await who_has_it(site) == ["acme"]


async def test_who_decided_before_it_was_given_up_decides_anew(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Claimed before, written after: in between the domain is deleted, and another customer wants it."""
    await two_customers(site)
    monkeypatch.setattr(site.services.store, "turns", OtherNodes())
    fact, waits = Store.fact, [True]

    async def late(self: Store, customer: str, place: str, field: str) -> Any:
        found = await fact(self, customer, place, field)
        if place == "domains" and waits:
            waits.clear()
            await make(site, DOMAIN)
            assert await delete(site) == 204
            assert await make(site, DOMAIN, "beta") == (200, "beta")
        return found

    monkeypatch.setattr(Store, "fact", late)
    assert await make(site, DOMAIN) == (409, "domain_taken")
    assert await who_has_it(site) == ["beta"]


@pytest.mark.parametrize("turn", range(5))
async def test_of_many_at_once_one_has_it(site: Site, turn: int) -> None:
    await two_customers(site)

    async def one(number: int) -> None:
        await asyncio.sleep((number * 7 + turn) % 5 / 1000)
        await (delete(site) if number % 3 == 0 else make(site, DOMAIN, ("acme", "beta")[number % 2]))

    for _ in range(3):
        await asyncio.gather(*map(one, _numbers(12)))
        assert len(await who_has_it(site)) <= 1


def _numbers(count: int) -> Iterable[int]:
    return range(1, count + 1)


async def test_one_that_was_only_claimed_is_given_up(site: Site) -> None:
    """A node that ended between claim and change leaves an owner without the domain: whoever looks after it frees it."""
    await two_customers(site)
    await site.services.store.claim_domains("acme", [DOMAIN])
    assert await make(site, DOMAIN, "beta") == (409, "domain_taken")
    assert await delete(site) == 204
    assert await delete(site) == 404
    assert await make(site, DOMAIN, "beta") == (200, "beta")


async def test_a_customer_that_is_forgotten_at_that_moment_is_unknown_and_has_no_domain(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    await two_customers(site)
    store, claim = site.services.store, Store.claim

    async def late(self: Store, customer: str, *more: Any, **how: Any) -> Any:
        claimed = await claim(self, customer, *more, **how)
        await store.client.srem(partition_key("customers", store.partition(customer)), customer)
        return claimed

    monkeypatch.setattr(Store, "claim", late)
    assert await make(site, DOMAIN) == (404, "unknown_customer")
    assert await store.owner_of(DOMAIN) is None
