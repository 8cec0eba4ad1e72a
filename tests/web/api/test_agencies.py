"""Agencies: made, looked for, changed, and deleted when nobody is left."""

from __future__ import annotations

from typing import Any

from tests.web.conftest import Site

CONTACT = {"name": "Ann", "role": "sales", "email": "ann@wholesale.example", "phone": ""}


async def made(site: Site, agency: str = "wholesale", **fields: Any) -> Any:
    status, body = await site.call("POST", "/api/v1/agencies", json={"id": agency, **fields})
    assert status == 200, body
    return body


async def test_one_is_made_and_changed_field_by_field(site: Site) -> None:
    first = await made(site, name="Wholesale", external_id="W-1", contacts=[CONTACT])
    assert first == {
        "id": "wholesale", "name": "Wholesale", "external_id": "W-1", "contacts": [CONTACT],
        "customers": 0, "created": "2026-09-21T14:13:20Z",
    }  # fmt: skip
    status, second = await site.call("PATCH", "/api/v1/agencies/wholesale", json={"name": "Great"})
    assert (status, second) == (200, {**first, "name": "Great"})
    assert await site.call("GET", "/api/v1/agencies/wholesale") == (200, second)


async def test_what_is_refused_changes_nothing(site: Site) -> None:
    first = await made(site)
    for method, path, body, code in (
        ("POST", "", {"id": "wholesale"}, "agency_exists"),
        ("POST", "", {"id": "a/b"}, "invalid"),
        ("POST", "", {"id": "b", "colour": "red"}, "invalid"),
        ("PATCH", "/wholesale", {"name": "a\nb"}, "invalid"),
        ("PATCH", "/wholesale", {"contacts": [{"role": "nobody"}]}, "invalid"),
        ("PATCH", "/unknown", {"name": "a"}, "unknown_agency"),
        ("DELETE", "/unknown", None, "unknown_agency"),
    ):
        _, answer = await site.call(method, f"/api/v1/agencies{path}", json=body)
        assert answer["code"] == code, (path, body)
    _, page = await site.call("GET", "/api/v1/agencies")
    assert page["items"] == [first]


async def test_they_are_looked_for_and_sorted(site: Site) -> None:
    for number, agency in enumerate(("b", "a", "c")):
        await made(site, agency, name=f"Agency {number}")
    _, page = await site.call("GET", "/api/v1/agencies?sort=-name&size=2")
    assert ([row["id"] for row in page["items"]], page["total"]) == (["c", "a"], 3)
    _, page = await site.call("GET", "/api/v1/agencies?search=agency 1")
    assert [row["id"] for row in page["items"]] == ["a"]


async def test_one_with_customers_stays(site: Site) -> None:
    await made(site)
    await site.imported(profile={"agency": "wholesale"})
    _, view = await site.call("GET", "/api/v1/agencies/wholesale")
    assert view["customers"] == 1
    status, body = await site.call("DELETE", "/api/v1/agencies/wholesale")
    assert (status, body["code"]) == (409, "agency_in_use")
    await site.call("PUT", "/api/v1/customers/acme/agency", json={"agency": ""})
    assert (await site.call("DELETE", "/api/v1/agencies/wholesale"))[0] == 204
    assert (await site.call("GET", "/api/v1/agencies/wholesale"))[0] == 404


async def test_it_is_all_in_the_trail(site: Site) -> None:
    await made(site)
    await site.call("PATCH", "/api/v1/agencies/wholesale", json={"name": "Great"})
    await site.call("DELETE", "/api/v1/agencies/wholesale")
    trail = [recorded.entry() async for recorded in site.services.store.audit_trail(None)]
    assert [(entry.action, entry.target) for entry in trail] == [
        (f"agencies.{what}", "wholesale") for what in ("create", "change", "delete")
    ]
