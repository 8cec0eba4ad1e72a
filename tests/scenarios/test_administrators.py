"""Administrators themselves, over HTTP on two nodes: they sign in, prove a second factor, switch accounts, and leave."""

from __future__ import annotations

import time

import pytest

from seatd.web.totp import STEP_S, code_at
from tests.scenarios.administrator import Administrator, operator
from tests.scenarios.company import Company
from tests.scenarios.conftest import Pair

PASSWORD = "correct horse battery staple"
ANOTHER = "seven seals on every door"


def code(secret: str, steps: int = 0) -> str:
    """The one-time code of so many steps from now."""
    return code_at(secret, int(time.time()) // STEP_S + steps)


@pytest.fixture
async def name(company: Company, pair: Pair) -> str:
    """An owner of the company who audits another customer, too; by name."""
    other = Company(*pair)
    await company.licensed("CALL_CENTER:competitive:2")
    await other.licensed("CALL_CENTER:competitive:2")
    grants = [
        {"role": "owner", "customers": [company.name]},
        {"role": "auditor", "customers": [other.name]},
    ]
    body = {"name": f"ann@{company.domain}", "grants": grants, "password": PASSWORD}
    made = await operator(pair.a).call("POST", "/administrators", body)
    return str(made["name"])


async def test_signing_in_with_a_password_and_a_one_time_code(pair: Pair, name: str) -> None:
    ann = Administrator(pair.a)
    wrong = {"name": name, "password": ANOTHER}
    assert await ann.refused("POST", "/sign-in", wrong, status=401) == "sign_in_refused"
    assert (await ann.sign_in(name=name, password=PASSWORD))["totp"] is False
    begun = await ann.call("POST", "/profile/totp", {"password": PASSWORD})
    assert begun["uri"].startswith("otpauth://totp/")
    assert ann.kept(await ann.call("PUT", "/profile/totp", {"code": code(begun["secret"])}))["totp"] is True

    elsewhere = Administrator(pair.b)  # the other node knows
    by_password = {"name": name, "password": PASSWORD}
    assert await elsewhere.refused("POST", "/sign-in", by_password, status=401) == "sign_in_refused"
    fresh = code(begun["secret"], 1)
    assert (await elsewhere.sign_in(**by_password, code=fresh))["totp"] is True
    again = by_password | {"code": fresh}
    assert await ann.refused("POST", "/sign-in", again, status=401) == "sign_in_refused"  # each is good once


async def test_switching_accounts(company: Company, pair: Pair, name: str) -> None:
    ann = Administrator(pair.b)
    profile = await ann.sign_in(name=name, password=PASSWORD)
    assert [grant["role"] for grant in profile["grants"]] == ["owner", "auditor"]
    (mine,) = (await ann.get("/customers"))["items"]
    assert mine["id"] == company.name
    await ann.call("PATCH", f"/customers/{company.name}", {"name": "Mine"})

    assert ann.kept(await ann.call("POST", "/profile/switch", {"grant": 1}))["grant"]["role"] == "auditor"
    (theirs,) = (await ann.get("/licenses"))["items"]
    assert theirs["customer"] != company.name
    at = f"/customers/{theirs['customer']}"
    assert await ann.refused("PATCH", at, {"name": "Mine"}, status=403) == "forbidden"
    assert await ann.refused("GET", f"/customers/{company.name}", status=404) == "unknown_customer"
    back = ann.kept(await ann.call("POST", "/profile/switch", {"customer": company.name}))
    assert back["grant"]["role"] == "owner"


async def test_ending_all_sessions(pair: Pair, name: str) -> None:
    here, there = Administrator(pair.a), Administrator(pair.a)
    for browser in (here, there):
        await browser.sign_in(name=name, password=PASSWORD)
    assert (await here.get("/profile/sessions"))["total"] == 2
    assert (await here.call("DELETE", "/profile/sessions?keep_present=true"))["ended"] == 1
    assert await there.refused("GET", "/profile", status=401) == "unauthenticated"
    assert (await here.get("/profile"))["name"] == name
    assert (await here.call("DELETE", "/profile/sessions"))["ended"] == 1
    assert await here.refused("GET", "/profile", status=401) == "unauthenticated"


async def test_another_password_and_a_call_without_the_pages_header(pair: Pair, name: str) -> None:
    ann, old = Administrator(pair.a), Administrator(pair.a)
    for browser in (ann, old):
        await browser.sign_in(name=name, password=PASSWORD)
    forged = Administrator(pair.a, cookies=dict(ann.cookies))
    assert await forged.refused("POST", "/sign-out", status=403) == "cross_site"
    ann.kept(await ann.call("PUT", "/profile/password", {"old": PASSWORD, "new": ANOTHER}))
    assert await old.refused("GET", "/profile", status=401) == "unauthenticated"
    assert (await ann.get("/profile"))["name"] == name
    trail = await operator(pair.b).get(f"/audit?target={name}")
    assert "profile.password" in [entry["action"] for entry in trail["items"]]
    assert ANOTHER not in str(trail)
