"""The audit trail through the API: what it shows, finds, writes into files, and whether its chain holds."""

from __future__ import annotations

import csv
import json
from typing import Any

import pytest

from seatd.store.audit_values import Change, Deed
from seatd.store.keys import customer_key
from seatd.web.api import audit, audit_verify
from seatd.web.api.differences import differences
from tests.web.conftest import TOKEN, Site


async def history(site: Site) -> None:
    """A customer with four entries."""
    await site.imported(profile={"name": "Acme"})
    await site.call("PATCH", "/api/v1/customers/acme/money", json={"balance": "5"})
    user = {"user": "ann@acme.example", "name": "Ann", "groups": ["sales"]}
    await site.call("POST", "/api/v1/customers/acme/users", json=user)
    await site.call("PATCH", "/api/v1/customers/acme/users/ann@acme.example", json={"role": "admin"})


async def asked(site: Site, query: str = "") -> Any:
    status, body = await site.call("GET", f"/api/v1/audit?customer=acme&{query}")
    assert status == 200, body
    return body


async def actions(site: Site, query: str = "") -> list[str]:
    return [entry["action"] for entry in (await asked(site, query))["items"]]


async def exported(site: Site, kind: str) -> tuple[str, str]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    path = f"/api/v1/audit/export?customer=acme&format={kind}"
    async with site.admin.get(path, headers=headers) as response:
        assert response.status == 200
        assert response.headers["Content-Disposition"] == f'attachment; filename="audit.{kind}"'
        return response.headers["Content-Type"], await response.text()


async def test_an_entry_says_who_what_and_how(site: Site) -> None:
    await history(site)
    body = await asked(site, "size=1")
    (entry,) = body["items"]
    assert (entry["action"], entry["target"], entry["customer"]) == (
        "users.change",
        "ann@acme.example",
        "acme",
    )
    assert entry["by"] == {"name": "tests", "role": "operator", "address": "127.0.0.1"}
    (change,) = entry["changes"]
    assert change["before"]["role"] == "agent"
    assert change["difference"] == [{"path": "role", "before": "agent", "after": "admin"}]
    assert body["total"] == 4


async def test_pages_and_filters(site: Site) -> None:
    await history(site)
    everything = ["users.change", "users.create", "customers.money", "licenses.import"]
    first = await asked(site, "size=3")
    assert [entry["action"] for entry in first["items"]] == everything[:3]
    assert await actions(site, f"before={first['next']}") == everything[3:]
    assert await actions(site, "action=users") == everything[:2]
    assert await actions(site, "action=users.create&actor=tests") == everything[1:2]
    assert await actions(site, "actor=nobody") == []
    assert await actions(site, "target=ann@acme.example") == everything[:2]
    assert await actions(site, "from=2020-01-01T00:00:00Z&to=2999-01-01T00:00:00Z") == everything
    assert await actions(site, "to=2020-01-01T00:00:00Z") == []
    assert await actions(site, "from=2999-01-01T00:00:00Z") == []


async def test_a_call_looks_at_so_many_and_the_next_one_goes_on(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    await history(site)
    monkeypatch.setattr(audit, "LOOKED_AT", 2)
    monkeypatch.setattr(audit, "PAGE", 1)
    body = await asked(site, "action=licenses")
    assert body["items"] == []
    body = await asked(site, f"action=licenses&before={body['next']}")
    assert ([entry["action"] for entry in body["items"]], body["next"]) == (["licenses.import"], None)


async def test_without_a_customer_it_is_the_deployments(site: Site) -> None:
    await site.imported()
    await site.call("POST", "/api/v1/agencies", json={"id": "wholesale"})
    _, body = await site.call("GET", "/api/v1/audit")
    assert [entry["action"] for entry in body["items"]] == ["agencies.create"]
    _, body = await site.call("GET", "/api/v1/audit/trails")
    assert body["items"] == [
        {"customer": None, "entries": 1, "statements": 0},
        {"customer": "acme", "entries": 1, "statements": 0},
    ]


async def test_as_files(site: Site) -> None:
    await history(site)
    await site.call("PATCH", "/api/v1/customers/acme", json={"external_id": "=cmd()"})
    kind, text = await exported(site, "json")
    assert kind == "application/json; charset=utf-8"
    entries = json.loads(text)
    assert [entry["action"] for entry in entries] == [
        "licenses.import", "customers.money", "users.create", "users.change", "customers.change",
    ]  # fmt: skip
    kind, text = await exported(site, "csv")
    assert kind == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(text.splitlines()))
    assert {row["id"] for row in rows} == {entry["id"] for entry in entries}
    assert (rows[-1]["field"], rows[-1]["after"], rows[-1]["actor"]) == ("external_id", '"=cmd()"', "tests")


async def test_no_cell_is_a_formula(site: Site) -> None:
    await site.imported()

    async def decide() -> list[Change]:
        return [Change(place="account", field="name", after=1)]

    by = site_actor("=HYPERLINK()")
    await site.services.store.amend("acme", Deed(by=by, action="test"), decide)
    _, text = await exported(site, "csv")
    assert "'=HYPERLINK()" in text
    assert ",=HYPERLINK()" not in text


def site_actor(name: str) -> Any:
    return audit.Actor(name=name, role="admin")


async def test_the_chain_is_followed_part_by_part(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    await history(site)
    monkeypatch.setattr(audit_verify, "CHECKED", 3)
    _, first = await site.call("GET", "/api/v1/audit/verify?customer=acme")
    assert (first["checked"], first["broken"]) == (3, None)
    rest = f"/api/v1/audit/verify?customer=acme&after={first['next']}&head={first['head']}"
    _, last = await site.call("GET", rest)
    assert (last["checked"], last["broken"], last["next"]) == (1, None, None)


async def test_what_was_taken_out_shows(site: Site) -> None:
    await history(site)
    store = site.services.store
    trail = [recorded async for recorded in store.audit_trail("acme")]
    await store.client.xdel(customer_key("audit", store.partition("acme"), "acme"), trail[1].id)
    _, body = await site.call("GET", "/api/v1/audit/verify?customer=acme")
    assert (body["checked"], body["broken"], body["next"]) == (2, trail[2].id, None)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, {"a": 1}, [("", None, {"a": 1})]),
        ({"a": 1, "b": {"c": [1], "d": 2}}, {"a": 1, "b": {"c": [2], "d": 2}}, [("b.c", [1], [2])]),
        ({"a": 1}, {"b": None}, [("a", 1, None)]),
        ({"a": {"b": 1}}, {"a": 2}, [("a", {"b": 1}, 2)]),
        (1, True, [("", 1, True)]),
        ("same", "same", []),
    ],
)
def test_differences(before: Any, after: Any, expected: list[Any]) -> None:
    assert [(d.path, d.before, d.after) for d in differences(before, after)] == expected
