"""Who may see no people of a customer, or none of its money, is told of neither, whatever else is shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from seatd.store.access_values import Grant, TokenRecord
from seatd.store.account_values import PERMISSIONS
from seatd.web.auth import token_hash
from tests.web.conftest import Site, license_key

AGENCY = Grant(role="agency", agency="wholesale")
ACME = "/api/v1/customers/acme"


@pytest.fixture
async def acme(site: Site) -> Site:
    """A customer of an agency, with one seat, which ann has and bob is denied."""
    await site.imported({"limit": 1}, profile={"agency": "wholesale"})
    await site.signed_in("ann@acme.example", "CALL_CENTER", device="1")
    await site.signed_in("bob@acme.example", "CALL_CENTER", device="2")
    return site


async def ask(site: Site, grant: Grant, method: str, path: str, **request: Any) -> tuple[int, Any]:
    token = f"of-{grant.role}-" + "0" * 40
    await site.services.store.register_token(
        token_hash(token), TokenRecord(name="walker", grant=grant, created_ms=0)
    )
    return await site.call(method, path, headers={"Authorization": f"Bearer {token}"}, **request)


async def permit(site: Site, permissions: Iterable[str]) -> None:
    assert (await site.call("PUT", f"{ACME}/permissions", json={"permissions": [*permissions]}))[0] == 200


@pytest.mark.parametrize("role", ["agency", "auditor"])
async def test_a_denial_without_the_person(acme: Site, role: Any) -> None:
    grant, path = Grant(role=role, agency="wholesale"), "/api/v1/denials?customer=acme"
    await permit(acme, ["see"])
    _, page = await ask(acme, grant, "GET", path)
    assert [(row["user"], row["session"]) for row in page["items"]] == [(None, None)]
    _, guessed = await ask(acme, grant, "GET", f"{path}&user=bob@acme.example")
    assert guessed["items"] == []
    await permit(acme, ["see", "people"])
    _, page = await ask(acme, grant, "GET", path)
    assert [row["user"] for row in page["items"]] == ["bob@acme.example"]


async def test_a_dry_run_without_names(acme: Site) -> None:
    key = license_key({"limit": 1}, jti="key-2", iat=1_700_000_001, domains=["new.example"])

    async def not_covered() -> Any:
        _, answer = await ask(acme, AGENCY, "POST", "/api/v1/licenses?dry_run=true", json={"key": key})
        return answer["affected"][0]["not_covered"]

    assert await not_covered() == {"number": 1, "users": []}
    await permit(acme, ["see", "licenses", "people"])
    assert await not_covered() == {"number": 1, "users": ["ann@acme.example"]}


async def test_the_trail_names_people(acme: Site) -> None:
    await permit(acme, (name for name in PERMISSIONS if name != "people"))
    assert (await ask(acme, AGENCY, "GET", "/api/v1/audit?customer=acme"))[0] == 404
    await permit(acme, ["see", "people"])
    assert (await ask(acme, AGENCY, "GET", "/api/v1/audit?customer=acme"))[0] == 200


async def test_money_is_for_whom_it_concerns(acme: Site) -> None:
    async def sees(grant: Grant) -> bool:
        _, view = await ask(acme, grant, "GET", ACME)
        return view["money"] is not None

    domains = ("acme.example",)
    assert await sees(Grant(role="owner", customers=("acme",)))
    assert await sees(Grant(role="auditor", customers=("acme",)))
    assert not await sees(Grant(role="admin", customers=("acme",)))
    assert not await sees(Grant(role="supervisor", customers=("acme",), domains=domains))
    assert not await sees(AGENCY)
    await permit(acme, ["see", "billing"])
    assert await sees(AGENCY)
