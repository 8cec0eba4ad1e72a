"""API tokens: shown once, stored by their hash, never wider nor longer than their maker's right."""

from __future__ import annotations

import re

from seatd.store.access_values import EVERYTHING, Grant, TokenRecord
from seatd.store.keys import deployment_key
from seatd.web.auth import token_hash
from tests.conftest import Clock
from tests.web.conftest import NOW_MS, Site
from tests.web.people import administrator, signed_in

DAY_MS = 86_400_000
AUDITOR = {"role": "auditor", "customers": ["acme"]}


async def test_from_made_to_taken_back(site: Site) -> None:
    await site.imported()
    status, made = await site.call(
        "POST", "/api/v1/tokens", json={"name": "billing", "grant": AUDITOR, "days": 7}
    )
    assert (status, made["created_by"], made["expires"]) == (200, "tests", "2026-09-28T14:13:20Z")
    assert re.fullmatch(r"seatd_[A-Za-z0-9_-]{43}", made["token"])
    headers = {"Authorization": f"Bearer {made['token']}"}
    assert (await site.call("GET", "/api/v1/licenses", headers=headers))[1]["total"] == 1
    assert (await site.call("DELETE", "/api/v1/licenses/acme-1", headers=headers))[0] == 403
    _, listing = await site.call("GET", "/api/v1/tokens")
    shown = next(row for row in listing["items"] if row["id"] == made["id"])
    assert shown == {name: value for name, value in made.items() if name != "token"}
    assert (await site.call("DELETE", f"/api/v1/tokens/{made['id']}"))[0] == 204
    status, answer = await site.call("DELETE", f"/api/v1/tokens/{made['id']}")
    assert (status, answer["code"]) == (404, "unknown_token")
    assert await site.services.store.token(token_hash(made["token"])) is None


async def test_neither_token_nor_hash_is_kept_in_the_trail_nor_the_token_in_the_store(site: Site) -> None:
    _, made = await site.call("POST", "/api/v1/tokens", json={"name": "t", "grant": {"role": "operator"}})
    store = site.services.store
    trail = str([recorded.text async for recorded in store.audit_trail(None)])
    kept = str(await store.client.hgetall(deployment_key("api_tokens")))
    assert made["id"] in trail
    assert token_hash(made["token"]) not in trail
    assert token_hash(made["token"]) in kept
    assert made["token"] not in trail + kept


async def test_ninety_days_unless_said_otherwise(site: Site) -> None:
    grant = {"role": "operator"}
    _, usual = await site.call("POST", "/api/v1/tokens", json={"name": "t", "grant": grant})
    _, endless = await site.call("POST", "/api/v1/tokens", json={"name": "t", "grant": grant, "days": None})
    record = await site.services.store.token(token_hash(usual["token"]))
    assert record is not None
    assert record.expires_ms == NOW_MS + 90 * DAY_MS
    assert endless["expires"] is None
    for days in (0, -1, 4000, "7"):
        body = {"name": "t", "grant": grant, "days": days}
        assert (await site.call("POST", "/api/v1/tokens", json=body))[0] == 422


async def test_a_token_that_ends_makes_none_that_outlives_it(site: Site, clock: Clock) -> None:
    maker = "maker-token-0123456789-0123456789"
    record = TokenRecord(name="maker", grant=EVERYTHING, created_ms=0, expires_ms=clock.now_ms + DAY_MS)
    await site.services.store.register_token(token_hash(maker), record)
    headers = {"Authorization": f"Bearer {maker}"}
    for days in (90, None):
        body = {"name": "t", "grant": {"role": "operator"}, "days": days}
        _, made = await site.call("POST", "/api/v1/tokens", json=body, headers=headers)
        assert made["expires"] == "2026-09-22T14:13:20Z"


async def test_an_owner_sees_and_takes_back_only_own(site: Site) -> None:
    await site.imported()
    owner = Grant(role="owner", customers=("acme",))
    browser = await signed_in(site, await administrator(site, "owner", owner))
    for id_, grant in (
        ("theirs", Grant(role="admin", customers=("beta",))),
        ("both", Grant(role="admin", customers=("acme", "beta"))),
        ("root", EVERYTHING),
    ):
        record = TokenRecord(id=id_, name=id_, grant=grant, created_ms=0)
        await site.services.store.register_token(f"digest of {id_}", record)
        assert (await browser.call("DELETE", f"tokens/{id_}"))[1]["code"] == "unknown_token"
    _, made = await browser.call("POST", "tokens", json={"name": "mine", "grant": AUDITOR})
    _, listing = await browser.call("GET", "tokens")
    assert [row["name"] for row in listing["items"]] == ["mine"]
    assert (await browser.call("DELETE", f"tokens/{made['id']}"))[0] == 204


async def test_grants_that_make_no_sense_or_name_nobody(site: Site) -> None:
    for grant, code in (
        ({"role": "supervisor", "customers": ["acme"]}, "unknown"),
        ({"role": "owner"}, "invalid"),
        ({"role": "operator", "customers": ["acme"]}, "invalid"),
        ({"role": "admin", "customers": ["nobody"]}, "unknown_customer"),
        ({"role": "admin", "customers": ["a/b"]}, "invalid"),
        ({"role": "emperor"}, "invalid"),
    ):
        _, answer = await site.call("POST", "/api/v1/tokens", json={"name": "t", "grant": grant})
        assert answer["code"] == ("invalid" if code == "unknown" else code)
