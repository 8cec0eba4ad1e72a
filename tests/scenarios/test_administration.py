"""The seed stories as administrators live them: over HTTP only, on two nodes, with real clients signing in meanwhile.

Whatever they look at, the registry, the totals, the usage, the metrics or the events, says the same number (`seats_in_use`).
How administrators themselves come and go is in `test_administrators.py`.
"""

from __future__ import annotations

import asyncio
import csv
import io
from typing import Any

from seatd_protocol.messages import Denied, Welcome
from tests.licensing.build import careless
from tests.scenarios.administrator import Administrator, events, people, seats_in_use
from tests.scenarios.company import Company


def key(company: Company, jti: str, *licenses: dict[str, Any], iat: int = 1_700_000_500) -> dict[str, str]:
    """The body that imports a key of these licenses."""
    times = {"valid_from": "2020-01-01T00:00:00Z", "valid_till": "2099-01-01T00:00:00Z"}
    claims = {
        "iss": "vendor",
        "jti": f"{company.name}-{jti}",
        "iat": iat,
        "customer": {"id": company.name, "name": "Acme & Sons"},
        "domains": [company.domain],
        "licenses": [{**times, **entry} for entry in licenses],
    }
    return {"key": careless(claims)}


def seats(id_: str, limit: int, product: str = "CALL_CENTER", kind: str = "competitive") -> dict[str, Any]:
    return {"id": id_, "product": product, "kind": kind, "limit": limit}


async def row(root: Administrator, license_: str) -> Any:
    return await root.get(f"/licenses/{license_}")


async def test_a_key_brings_customer_domains_and_licenses(company: Company, root: Administrator) -> None:
    first = f"{company.name}-cc"
    body = key(company, "k1", seats(first, 5))
    done = await root.call("POST", "/licenses", body)
    assert (done["status"], done["added"], done["domains"]) == ("imported", [first], [company.domain])
    assert (await root.call("POST", "/licenses", body))["status"] == "already_imported"
    customer = await root.get(f"/customers/{company.name}")
    assert (customer["name"], customer["domains"]) == ("Acme & Sons", [company.domain])
    assert (await root.get(f"/domains/{company.domain}"))["licenses"] == [first]
    shown = await row(root, first)
    assert (shown["used"], shown["limit"], shown["competitive"], shown["validity"]) == (0, 5, True, "valid")
    assert shown["status"] > 20_000
    found = await root.get(f"/licenses?search=call_c&customer={company.name}")
    assert [item["id"] for item in found["items"]] == [first]
    assert (await root.get(f"/licenses/{first}/key"))["key"] == body["key"]
    assert [event["type"] for event in await events(root, company)] == ["license_imported"]
    assert await seats_in_use(company) == 0


async def test_a_dry_run_says_whom_a_smaller_key_would_hit(company: Company, root: Administrator) -> None:
    license_ = f"{company.name}-cc"
    await root.call("POST", "/licenses", key(company, "k1", seats(license_, 5)))
    await people(company, "ann", "bob", "cid")
    smaller = key(company, "k2", seats(license_, 1), iat=1_700_000_501)
    told = await root.call("POST", "/licenses?dry_run=true", smaller)
    assert {notice["code"] for notice in told["notices"]} == {"limit_lowered", "holders_above_limit"}
    (affected,) = told["affected"]
    assert affected["above_limit"]["number"] == 2
    assert set(affected["above_limit"]["users"]) < {company.user(name) for name in ("ann", "bob", "cid")}
    assert (await row(root, license_))["limit"] == 5
    assert await seats_in_use(company) == 3
    await root.call("POST", "/licenses", smaller)
    shown = await row(root, license_)
    assert (shown["limit"], shown["used"], shown["above_limit"]) == (1, 3, 2)


async def test_used_rises_and_the_switch_forces_out(company: Company, root: Administrator) -> None:
    (license_,) = await company.licensed("CALL_CENTER:competitive:5")
    for number, name in enumerate(("ann", "bob", "cid"), 1):
        await people(company, name)
        assert await seats_in_use(company) == number
    desktop = await company.sign_in(company.nodes[1], "ann", "CALL_CENTER", device="d2", acks=True)
    assert await seats_in_use(company) == 3  # two devices of one user share the seat
    page = await root.get(f"/licenses/{license_}/users?size=2")
    assert (page["total"], [user["user"] for user in page["items"]]) == (
        3,
        [company.user("ann"), company.user("bob")],
    )
    (ann,) = (await root.get(f"/licenses/{license_}/users?search=ANN"))["items"]
    assert (ann["domain"], ann["used"], ann["sessions"]) == (company.domain, True, 2)
    assert await root.logout(users=[company.user("ann")]) == {company.user("ann"): "acknowledged"}
    assert await desktop.closed() == 4302
    assert (await root.get(f"/licenses/{license_}/users?search=ann"))["items"] == []
    assert await seats_in_use(company) == 2
    out = await events(root, company, type="logout")
    assert [(event["user"], event["by"]) for event in out] == [(company.user("ann"), "admin.token of b")] * 2


async def test_everybody_whom_a_logout_names_has_a_receipt(company: Company, root: Administrator) -> None:
    other = f"other.{company.domain}"
    first, second = await company.licensed(
        "CALL_CENTER:competitive:9", "CALL_MANAGER:competitive:9", domains=[company.domain, other]
    )
    await people(company, "ann", "bob", "cid", f"dan@{other}")
    await people(company, "eve", "flo", product="CALL_MANAGER")

    async def out(*names: str, **targets: object) -> None:
        assert await root.logout(**targets) == {company.user(name): "acknowledged" for name in names}

    await out("ann", users=[company.user("ann")])
    (bob,) = (await root.get(f"/sessions?customer={company.name}&user={company.user('bob')}"))["items"]
    await out("bob", "eve", sessions=[bob["session"]], users=[company.user("eve")])  # a selection
    assert (await seats_in_use(company), await seats_in_use(company, "CALL_MANAGER")) == (2, 1)
    await out("flo", license=second)
    assert (await row(root, second))["used"] == 0
    await out(f"dan@{other}", domain=other)
    assert (await row(root, first))["used"] == 1
    await out("cid", customer=company.name)
    assert await seats_in_use(company) == 0
    assert (await root.get(f"/customers/{company.name}"))["in_use"] == {"seats": 0, "sessions": 0}
    assert len(await events(root, company, type="logout")) == 6


async def test_a_supervisor_sees_and_forces_out_own_domains_only(
    company: Company, root: Administrator
) -> None:
    other = f"other.{company.domain}"
    (license_,) = await company.licensed("CALL_CENTER:competitive:9", domains=[company.domain, other])
    await people(company, "ann", f"bob@{other}")
    supervisor = await root.given("supervisor", customers=[company.name], domains=[other])
    seen = (await supervisor.get(f"/licenses/{license_}/users"))["items"]
    assert [user["user"] for user in seen] == [f"bob@{other}"]
    stranger = {"users": [company.user("ann")]}
    assert await supervisor.refused("POST", "/logout", stranger, status=404) == "unknown_domain"
    assert (
        await supervisor.refused("POST", "/logout", {"domain": company.domain}, status=404)
        == "unknown_domain"
    )
    assert await seats_in_use(company) == 2
    assert await supervisor.logout(users=[f"bob@{other}"]) == {f"bob@{other}": "acknowledged"}
    assert await seats_in_use(company) == 1
    put = f"/licenses/{license_}/users/bob@{other}"
    assert await supervisor.refused("PUT", put, status=403) == "forbidden"


async def test_nominal_licenses_are_given_to_users_up_to_the_limit(
    company: Company, root: Administrator
) -> None:
    (license_,) = await company.licensed("MOBILE:nominal:1")
    at = f"/licenses/{license_}/users"
    ann, bob = company.user("ann"), company.user("bob")
    given = await root.call("PUT", f"{at}/{ann}")
    assert (given["status"], given["used"], given["limit"]) == ("assigned", 1, 1)
    assert (await root.call("PUT", f"{at}/{ann}"))["status"] == "already"
    assert await root.refused("PUT", f"{at}/{bob}", status=409) == "license_full"
    assert await root.refused("PUT", f"{at}/ann@else.example", status=409) == "wrong_domain"
    refused = await company.sign_in(company.nodes[0], "bob", "MOBILE", kind="mobile")
    assert isinstance(refused.first, Denied)
    client = await company.sign_in(company.nodes[0], "ann", "MOBILE", kind="mobile", acks=True)
    assert [seat.kind for seat in client.seats] == ["nominal"]
    (user,) = (await root.get(at))["items"]
    assert (user["user"], user["used"], user["assigned"]) == (ann, True, True)
    shown = await row(root, license_)
    assert (shown["used"], shown["online"], shown["competitive"]) == (1, 1, None)
    await root.call("DELETE", f"{at}/{ann}", status=204)
    assert await root.refused("DELETE", f"{at}/{ann}", status=404) == "not_assigned"
    assert (await root.call("PUT", f"{at}/{bob}"))["used"] == 1


async def test_chat_gateways_and_email_profiles_count_by_the_largest_license(
    company: Company, root: Administrator
) -> None:
    competitive = key(company, "bad", seats(f"{company.name}-bad", 5, "CHAT"))
    assert await root.refused("POST", "/licenses", competitive, status=422) == "invalid_license_key"
    await company.licensed("CHAT:nominal:1")
    chat, *_ = await company.licensed("CHAT:nominal:2", "EMAIL:nominal:1", "EMAIL:nominal:2")
    at = f"/domains/{company.domain}/resources"
    for product in ("CHAT", "EMAIL"):
        for number in (1, 2):
            on = await root.call("PUT", f"{at}/{product}/r{number}")
            assert (on["status"], on["used"], on["limit"]) == (
                "occupied",
                number,
                2,
            )  # the largest, not the sum
        assert await root.refused("PUT", f"{at}/{product}/r3", status=409) == "resource_limit"
    assert [item["resource"] for item in (await root.get(f"{at}?product=CHAT"))["items"]] == ["r1", "r2"]
    assert (await row(root, chat))["used"] == 2
    totals = (await root.get(f"/licenses/totals?customer={company.name}"))["items"]
    assert {total["product"]: (total["combine"], total["limit"]) for total in totals} == {
        "CHAT": ("max", 2),
        "EMAIL": ("max", 2),
    }
    user = f"/licenses/{chat}/users/{company.user('ann')}"
    assert await root.refused("PUT", user, status=409) == "not_assignable"
    await root.call("DELETE", f"{at}/CHAT/r1", status=204)
    assert (await root.call("PUT", f"{at}/CHAT/r3"))["used"] == 2


async def test_denials_are_true_or_healed(company: Company, root: Administrator) -> None:
    await company.licensed("CALL_CENTER:competitive:1")
    ann = (await people(company, "ann"))["ann"]
    for name in ("bob", "cid"):
        assert (await company.sign_in(company.nodes[1], name, "CALL_CENTER")).denied.code == "no_seat"
    await ann.bye()
    await people(company, "bob")  # within five seconds: healed
    found = (await root.get(f"/denials?customer={company.name}&code=no_seat"))["items"]
    assert [denial["user"] for denial in found] == [company.user("cid"), company.user("bob")]
    usage = await root.get(f"/usage?customer={company.name}&product=CALL_CENTER&resolution=day")
    today = usage["items"][-1]
    assert (today["denied"], today["healed"], today["true_denials"]) == (2, 1, 1)
    assert (today["denials"], today["grants"], today["suggested_seats"]) == ({"no_seat": 2}, 2, 2)
    assert len(await events(root, company, type="denied")) == 2
    assert await seats_in_use(company) == 1


async def test_usage_by_the_hour_and_the_day_and_as_a_file(company: Company, root: Administrator) -> None:
    await company.licensed("CALL_CENTER:competitive:3")
    clients = await people(company, "ann", "bob", "cid")
    await clients["ann"].bye()
    query = f"/usage?customer={company.name}&product=CALL_CENTER"
    for resolution, rows in (("live", 1), ("hour", 24), ("day", 30), ("month", 12)):
        page = await root.get(f"{query}&resolution={resolution}")
        assert page["total"] == rows
        # An hour may have ended meanwhile: then its last two rows tell it together.
        last = page["items"][-2:]
        assert sum(item["grants"] for item in last) == 3
        assert max(item["peak"] for item in last) == 3
    activity = await root.get(f"/usage/activity?customer={company.name}")
    assert (len(activity["days"]), activity["week"]["grants"]) == (7, 0)  # whole days; today is none yet
    text = await root.get(f"{query}&resolution=day&format=csv")
    table = list(csv.DictReader(io.StringIO(text)))
    assert (len(table), table[-1]["customer"], table[-1]["product"]) == (30, company.name, "CALL_CENTER")
    assert sum(int(line["grants"]) for line in table) == 3
    stream = list(csv.DictReader(io.StringIO(await root.get(f"/events?customer={company.name}&format=csv"))))
    assert [line["type"] for line in stream].count("granted") == 3
    assert await seats_in_use(company) == 2


async def test_the_trail_says_who_changed_what(company: Company, root: Administrator) -> None:
    (license_,) = await company.licensed("MOBILE:nominal:5")
    owner = await root.given("owner", customers=[company.name])
    ann = company.user("ann")
    people_at = f"/customers/{company.name}/users"
    await owner.call("POST", people_at, {"user": ann, "groups": ["sales"]})
    await owner.call("PATCH", f"{people_at}/{ann}", {"role": "admin", "groups": ["sales", "night"]})
    await owner.call("PUT", f"/licenses/{license_}/users/{ann}")
    await root.call("POST", f"/customers/{company.name}/suspend")
    await root.logout(customer=company.name)
    trail = await root.get(f"/audit?customer={company.name}")
    done = [entry["action"] for entry in reversed(trail["items"])]
    assert done[0] == "licenses.import"
    assert done[1:4] == ["users.create", "users.change", "licenses.assign"]
    assert trail["total"] == len(done)
    (changed,) = (await owner.get(f"/audit?customer={company.name}&action=users.change"))["items"]
    assert (changed["by"]["name"], changed["by"]["role"], changed["target"]) == ("a owner", "owner", ann)
    assert changed["by"]["address"] == "127.0.0.1"
    difference = {
        part["path"]: (part["before"], part["after"]) for part in changed["changes"][0]["difference"]
    }
    assert difference["role"] == ("agent", "admin")
    verified = await root.get(f"/audit/verify?customer={company.name}")
    assert (verified["broken"], verified["checked"]) == (None, trail["total"])
    lines = (await root.get(f"/audit/export?customer={company.name}")).splitlines()
    assert len(lines) > trail["total"]


async def test_many_come_and_go_and_all_numbers_agree(company: Company, root: Administrator) -> None:
    await company.licensed("CALL_CENTER:competitive:20")
    names = [f"u{number}" for number in range(30)]
    clients = await asyncio.gather(
        *(
            company.sign_in(company.nodes[number % 2], name, "CALL_CENTER", acks=True)
            for number, name in enumerate(names)
        )
    )
    inside = [client for client in clients if isinstance(client.first, Welcome)]
    assert (len(inside), await seats_in_use(company)) == (20, 20)
    await asyncio.gather(*(client.bye() for client in inside[:5]))
    assert await seats_in_use(company) == 15
    assert len(await root.logout(customer=company.name)) == 15
    assert await seats_in_use(company) == 0
    today = (await root.get(f"/usage?customer={company.name}&resolution=day"))["items"][-1]
    assert (today["grants"], today["peak"], today["denied"]) == (20, 20, 10)
