"""Importing keys: a key that is refused takes no domain away from anybody."""

from __future__ import annotations

from typing import Any

import pytest

from seatd.store.redis import Store
from seatd.store.registry_values import Imported
from tests.web.api.test_domains import make
from tests.web.conftest import Site, license_key

FREE = "fresh.example"


async def post(site: Site, key: str) -> Any:
    _, answer = await site.call("POST", "/api/v1/licenses", json={"key": key})
    return answer.get("code", answer.get("status"))


async def two(site: Site) -> None:
    await site.imported()
    await site.imported(customer="beta", jti="beta")


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (license_key(jti="new", iat=1_700_000_009, domains=[FREE, "beta.example"]), "domain_taken"),
        (license_key(jti="old", iat=1_600_000_000, domains=["acme.example", FREE]), "older_key"),
        (license_key({"id": "beta-1"}, jti="new", iat=1_700_000_009, domains=[FREE]), "other_customer"),
    ],
)
async def test_a_refused_key_takes_no_domain(site: Site, key: str, code: str) -> None:
    await two(site)
    assert await post(site, key) == code
    assert await make(site, FREE, "beta") == (200, "beta")


@pytest.mark.parametrize("between", ["older_key", "domain_taken"])
async def test_nor_does_one_that_is_refused_at_the_last_moment(
    site: Site, monkeypatch: pytest.MonkeyPatch, between: str
) -> None:
    """Nothing stood in its way when it was looked at; by the time that it is put there something has come between."""
    await two(site)
    put, other = Store.put_license, "other.example"

    async def overtaken(self: Store, *args: Any, **more: Any) -> Imported:
        if more.get("claims"):
            monkeypatch.setattr(Store, "put_license", put)
            if between == "older_key":
                await site.imported(jti="newer", iat=1_700_000_020)
            else:
                assert await make(site, other, "beta") == (200, "beta")
        return await put(self, *args, **more)

    monkeypatch.setattr(Store, "put_license", overtaken)
    key = license_key(jti="new", iat=1_700_000_009, domains=["acme.example", FREE, other])
    assert await post(site, key) == between
    assert await make(site, FREE, "beta") == (200, "beta")
    assert await site.services.store.owner_of("acme.example") == "acme"


async def test_what_is_imported_is_the_customers(site: Site) -> None:
    await two(site)
    assert await post(site, license_key(jti="new", iat=1_700_000_009, domains=[FREE])) == "imported"
    assert await post(site, license_key(jti="new", iat=1_700_000_009, domains=[FREE])) == "already_imported"
    assert await make(site, FREE, "beta") == (409, "domain_taken")
