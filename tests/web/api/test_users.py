"""Users: made, found, changed field by field, deleted with what they were given."""

from __future__ import annotations

from typing import Any

from tests.web.conftest import Site

PATH = "/api/v1/customers/acme/users"


async def made(site: Site, user: str = "ann@acme.example", **fields: Any) -> Any:
    status, body = await site.call("POST", PATH, json={"user": user, **fields})
    assert status == 200, body
    return body


async def test_one_is_made_and_changed_field_by_field(site: Site) -> None:
    await site.imported()
    first = await made(
        site, "Ann@ACME.example", name="Ann", role="supervisor", groups=["sales", "sales", "de"]
    )
    assert first == {
        "user": "Ann@acme.example", "domain": "acme.example", "customer": "acme", "name": "Ann",
        "role": "supervisor", "groups": ["sales", "de"], "extension": "", "online": False,
        "created": "2026-09-21T14:13:20Z",
    }  # fmt: skip
    status, second = await site.call("PATCH", f"{PATH}/Ann@acme.example", json={"groups": []})
    assert (status, second) == (200, {**first, "groups": []})
    assert await site.call("GET", f"{PATH}/Ann@ACME.EXAMPLE") == (200, second)


async def test_what_is_refused_changes_nothing(site: Site) -> None:
    await site.imported()
    first = await made(site)
    for method, path, body, code in (
        ("POST", "", {"user": "ann@acme.example"}, "user_exists"),
        ("POST", "", {"user": "ann"}, "invalid"),
        ("POST", "", {"user": "ann@elsewhere.example"}, "unknown_domain"),
        ("POST", "", {"user": "bob@acme.example", "role": "operator"}, "invalid"),
        ("POST", "", {"user": "bob@acme.example", "extension": "100"}, "invalid"),
        ("PATCH", "/ann@acme.example", {"name": "a\tb"}, "invalid"),
        ("PATCH", "/ann@acme.example", {"groups": [""]}, "invalid"),
        ("PATCH", "/bob@acme.example", {"name": "Bob"}, "unknown_user"),
        ("DELETE", "/bob@acme.example", None, "unknown_user"),
    ):
        _, answer = await site.call(method, f"{PATH}{path}", json=body)
        assert answer["code"] == code, (path, body)
    _, page = await site.call("GET", PATH)
    assert page["items"] == [first]


async def test_they_are_looked_for_and_sorted(site: Site) -> None:
    await site.imported(domains=["acme.example", "zoo.example"])
    await made(site, "ann@acme.example", role="admin", groups=["sales"])
    await made(site, "bob@zoo.example", name="Bob", groups=["sales"])
    await made(site, "eve@acme.example", name="Eve")
    await site.signed_in("eve@acme.example")

    async def found(query: str) -> list[str]:
        _, page = await site.call("GET", f"{PATH}?{query}")
        return [row["user"].partition("@")[0] for row in page["items"]]

    assert await found("sort=-user") == ["eve", "bob", "ann"]
    assert await found("sort=role") == ["ann", "bob", "eve"]
    assert await found("sort=-role") == ["bob", "eve", "ann"]
    assert await found("sort=-role&size=1&page=2") == ["eve"]
    assert await found("group=sales") == ["ann", "bob"]
    assert await found("search=SALES&domain=zoo.example") == ["bob"]
    assert await found("role=admin") == ["ann"]
    _, page = await site.call("GET", f"{PATH}?size=1&page=3")
    assert ([(row["user"], row["online"]) for row in page["items"]], page["total"]) == (
        [("eve@acme.example", True)], 3,
    )  # fmt: skip


async def test_who_is_deleted_has_no_license_left(site: Site) -> None:
    await site.imported({"kind": "nominal"}, {"kind": "nominal", "product": "QUALITY_AUDITOR"})
    await made(site)
    for license_ in ("acme-1", "acme-2"):
        await site.call("PUT", f"/api/v1/licenses/{license_}/users/ann@acme.example")
    assert (await site.call("DELETE", f"{PATH}/ann@acme.example"))[0] == 204
    _, page = await site.call("GET", "/api/v1/licenses")
    assert [row["used"] for row in page["items"]] == [0, 0]
    trail = [recorded.entry() async for recorded in site.services.store.audit_trail("acme")]
    assert trail[-1].action == "users.delete"
    assert {(change.place, change.field) for change in trail[-1].changes} == {
        ("users", "ann@acme.example"),
        ("assignments", "acme-1 ann@acme.example"),
        ("assignments", "acme-2 ann@acme.example"),
    }


async def test_a_list_says_who_has_which_licenses_when_it_is_asked(site: Site) -> None:
    await site.imported(
        {"kind": "nominal"},
        {"product": "phone_system"},
        {"product": "team_chat"},
        {"kind": "nominal", "product": "MOBILE"},
    )
    await site.call(
        "PATCH", "/api/v1/customers/acme", json={"number_blocks": [{"first": "200", "last": "299"}]}
    )
    await made(site)
    await made(site, "bob@acme.example")
    for license_ in ("acme-1", "acme-4"):
        await site.call("PUT", f"/api/v1/licenses/{license_}/users/ann@acme.example")
    await site.call(
        "POST", "/api/v1/customers/acme/provision", json={"start": "201", "add_ons": ["team_chat"]}
    )
    await site.call("PATCH", "/api/v1/customers/acme/extensions/201", json={"user": "bob@acme.example"})
    _, page = await site.call("GET", f"{PATH}?licenses=true")
    ann, bob = page["items"]
    assert (ann["licenses"], ann["products"]) == (["acme-1", "acme-4"], [])
    assert (bob["licenses"], bob["products"]) == ([], ["phone_system", "team_chat"])
    _, page = await site.call("GET", PATH)
    assert "licenses" not in page["items"][0]


async def test_a_list_says_who_has_which_seats(site: Site) -> None:
    await site.imported({"limit": 9}, {"product": "CALL_MANAGER", "limit": 9})
    for name in ("ann", "bob", "cleo"):
        await made(site, f"{name}@acme.example")
    await site.signed_in("ann@acme.example", "CALL_CENTER")
    await site.signed_in("ann@acme.example", "CALL_MANAGER", device="d2")
    await site.signed_in("bob@acme.example")
    _, page = await site.call("GET", f"{PATH}?licenses=true")
    assert [user["seats"] for user in page["items"]] == [["acme-1", "acme-2"], [], []]
    assert [user["online"] for user in page["items"]] == [True, True, False]
