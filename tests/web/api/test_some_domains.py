"""Owners and administrators of some domains only: what concerns the whole customer, or others' domains, is not theirs."""

from __future__ import annotations

from typing import Any

import pytest

from seatd.store.access_values import Grant
from tests.web.conftest import Site, license_key
from tests.web.people import Browser, administrator, signed_in

OWNER = Grant(role="owner", customers=("acme",), domains=("acme.example",))
BOTH = ["acme.example", "other.example"]


@pytest.fixture
async def owner(site: Site) -> Browser:
    """The owner of one of acme's two domains."""
    await site.imported({}, domains=BOTH)
    return await signed_in(site, await administrator(site, "owner", OWNER))


def newer_key(domains: list[str]) -> dict[str, Any]:
    return {"key": license_key(jti="key-2", iat=1_700_000_001, domains=domains)}


@pytest.mark.parametrize(("method", "path"), [("DELETE", ""), ("GET", "/key")])
async def test_a_license_of_other_domains_as_well(owner: Browser, method: str, path: str) -> None:
    status, answer = await owner.call(method, f"licenses/acme-1{path}")
    assert (status, answer["code"]) == (404, "unknown_license")
    assert (await owner.site.call("GET", "/api/v1/licenses/acme-1"))[0] == 200


@pytest.mark.parametrize(("method", "path"), [("DELETE", ""), ("GET", "/key")])
async def test_a_license_of_own_domains(owner: Browser, method: str, path: str) -> None:
    await owner.site.imported({}, jti="key-2", iat=1_700_000_001, domains=["acme.example"])
    assert (await owner.call(method, f"licenses/acme-1{path}"))[0] < 300


async def test_a_license_key_is_for_who_has_the_whole_customer(owner: Browser) -> None:
    for query in ("", "?dry_run=true"):
        status, answer = await owner.call(
            "POST", f"licenses{query}", json=newer_key(["acme.example", "third.example"])
        )
        assert (status, answer["code"]) == (403, "forbidden")
    _, domains = await owner.site.call("GET", "/api/v1/domains")
    assert [row["domain"] for row in domains["items"]] == BOTH


async def test_only_own_domains_are_named(owner: Browser) -> None:
    _, listing = await owner.call("GET", "licenses")
    _, one = await owner.call("GET", "licenses/acme-1")
    assert [row["domains"] for row in (*listing["items"], one)] == [["acme.example"]] * 2
    assert (await owner.call("GET", "licenses?domain=other.example"))[1]["total"] == 0


async def test_the_supervisor_of_another_domain_is_not_there(owner: Browser) -> None:
    other = Grant(role="supervisor", customers=("acme",), domains=("other.example",))
    await administrator(owner.site, "other", other)
    assert [row["name"] for row in (await owner.call("GET", "administrators"))[1]["items"]] == ["owner"]
    for method, body in (("GET", None), ("PATCH", {"disabled": True}), ("DELETE", None)):
        status, answer = await owner.call(method, "administrators/other", json=body)
        assert (status, answer["code"]) == (404, "unknown_administrator")
