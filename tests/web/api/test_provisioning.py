"""Provisioning over REST: extensions one after another, changed, taken away, and many at once out of a file."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from seatd.store.access_values import Grant, TokenRecord
from seatd.store.redis import Store
from seatd.web.auth import token_hash
from tests.web.conftest import TOKEN, Site

PATH = "/api/v1/customers/acme"
CSV = {"Content-Type": "text/csv"}
OTHER = "another-administrators-token-0123456789-0123456789"
HEADER = "Ext key,Number,User,Addon license,Addon license\n"


@pytest.fixture
async def site(site: Site) -> Site:
    """A customer with eight base licenses, and nominal licenses of two add-ons."""
    await site.imported(
        {"product": "phone_system", "limit": 8},
        {"product": "call_recording", "kind": "nominal", "limit": 2},
        {"product": "device_mobile_app", "kind": "nominal", "limit": 3},
    )
    blocks = [{"first": "200", "last": "299"}]
    status, _ = await site.call("PATCH", PATH, json={"number_blocks": blocks})
    assert status == 200
    return site


async def made(site: Site, start: str, **body: Any) -> list[str]:
    status, answer = await site.call("POST", f"{PATH}/provision", json={"start": start, **body})
    assert status == 200, answer
    extensions: list[str] = answer["extensions"]
    return extensions


async def refused(site: Site, method: str, path: str, **request: Any) -> tuple[str, list[str]]:
    status, answer = await site.call(method, f"{PATH}{path}", **request)
    assert status >= 400, answer
    return answer["code"], [error["path"] for error in answer["errors"]]


async def listed(site: Site, query: str = "") -> list[str]:
    _, answer = await site.call("GET", f"{PATH}/extensions{query}")
    assert answer["total"] == len(answer["items"])
    return [row["extension"] for row in answer["items"]]


async def assigned(site: Site, license_: str) -> list[str]:
    _, answer = await site.call("GET", f"/api/v1/licenses/{license_}/users")
    return [row["user"] for row in answer["items"]]


LIMITED = Grant(role="admin", customers=("acme",), domains=("acme.example",))


async def as_limited(site: Site, method: str, path: str, **request: Any) -> tuple[int, Any]:
    """Status and answer, or its code, of a call by somebody who is limited to one of the customer's domains."""
    await site.services.store.register_token(
        token_hash(OTHER), TokenRecord(name="limited", grant=LIMITED, created_ms=0)
    )
    headers = {"Authorization": f"Bearer {OTHER}", **request.pop("headers", {})}
    status, answer = await site.call(method, f"{PATH}{path}", headers=headers, **request)
    return status, answer["code"] if status >= 400 else answer


async def upload(site: Site, text: str, query: str = "") -> tuple[int, Any]:
    return await site.call("POST", f"{PATH}/provision/bulk{query}", data=text.encode(), headers=CSV)


async def test_consecutive_extensions(site: Site) -> None:
    assert await made(site, "200", count=3) == ["200", "201", "202"]
    assert await listed(site) == ["200", "201", "202"]


async def test_what_is_wrong_is_told_with_its_place_and_changes_nothing(site: Site) -> None:
    assert await refused(site, "POST", "/provision", json={"start": "298", "count": 4}) == (
        "cannot_provision",
        ["300.extension", "301.extension"],
    )
    body = {"start": "210", "count": 3, "add_ons": ["call_recording"]}
    assert await refused(site, "POST", "/provision", json=body) == ("cannot_provision", ["212.add_ons[0]"])
    for start in ("12", "020", "abc", "123456", ""):
        assert (await refused(site, "POST", "/provision", json={"start": start}))[0] == "invalid"
    assert (await refused(site, "POST", "/provision", json={"start": "200", "count": 0}))[0] == "invalid"
    assert await listed(site) == []


async def test_no_more_at_once_than_can_be_looked_at(site: Site) -> None:
    body = {"start": "200", "count": 1000, "add_ons": ["call_recording"] * 20}
    assert await refused(site, "POST", "/provision", json=body) == ("invalid", ["count"])
    status, answer = await upload(site, "Ext key\n" + "\n" * 20_000)
    assert (status, answer["errors"][0]["path"]) == (422, "row 10002")


async def test_a_user_gets_an_extension_and_what_belongs_to_it(site: Site) -> None:
    await made(site, "200", add_ons=["call_recording", "device_mobile_app"])
    status, view = await site.call("PATCH", f"{PATH}/extensions/200", json={"user": "ann@acme.example"})
    assert (status, view["user"], view["assigned"]) == (200, "ann@acme.example", ["acme-2", "acme-3"])
    assert await assigned(site, "acme-2") == ["ann@acme.example"]
    _, user = await site.call("GET", f"{PATH}/users/ann@acme.example")
    assert (user["extension"], user["role"]) == ("200", "agent")
    assert (await refused(site, "DELETE", "/users/ann@acme.example"))[0] == "user_in_use"
    status, _ = await site.call("DELETE", f"{PATH}/extensions/200")
    assert status == 204
    assert await assigned(site, "acme-2") == []
    _, user = await site.call("GET", f"{PATH}/users/ann@acme.example")
    assert user["extension"] == ""


async def test_another_user_and_other_add_ons(site: Site) -> None:
    await made(site, "200", count=2, add_ons=["call_recording"])
    await site.call("PATCH", f"{PATH}/extensions/200", json={"user": "ann@acme.example"})
    assert (await refused(site, "PATCH", "/extensions/201", json={"user": "ann@acme.example"}))[1] == ["user"]
    assert (await refused(site, "PATCH", "/extensions/201", json={"user": "eve@else.example"}))[1] == ["user"]
    change = {"user": "bob@acme.example", "add_ons": ["device_mobile_app", "device_mobile_app"]}
    _, view = await site.call("PATCH", f"{PATH}/extensions/200", json=change)
    assert (view["user"], view["add_ons"], view["assigned"]) == (
        "bob@acme.example",
        ["device_mobile_app", "device_mobile_app"],
        ["acme-3"],
    )
    _, user = await site.call("GET", f"{PATH}/users/ann@acme.example")
    assert user["extension"] == ""
    assert await listed(site, "?free=true") == ["201"]
    assert await listed(site, "?search=BOB") == ["200"]


async def test_a_block_does_not_begin_with_0(site: Site) -> None:
    for first, last in (("0200", "0299"), ("000", "999")):
        status, answer = await site.call(
            "PATCH", PATH, json={"number_blocks": [{"first": first, "last": last}]}
        )
        assert (status, answer["errors"][0]["path"]) == (422, "number_blocks[0]")
        assert "does not begin with 0" in answer["errors"][0]["message"]


async def test_only_what_a_change_adds_must_have_been_bought(site: Site) -> None:
    await made(site, "200", count=3, add_ons=["device_mobile_app"])
    await site.call("PATCH", f"{PATH}/extensions/200", json={"user": "ann@acme.example"})
    lowered = [
        {"product": "phone_system", "limit": 1},
        {"product": "call_recording", "kind": "nominal", "limit": 2},
        {"product": "device_mobile_app", "kind": "nominal", "limit": 1},
    ]
    await site.imported(*lowered, jti="key-2", iat=1_700_000_001)
    for change in ({"number": "+43 1"}, {"user": ""}, {"user": "bob@acme.example"}):
        status, _ = await site.call("PATCH", f"{PATH}/extensions/200", json=change)
        assert status == 200
    more = {"add_ons": ["call_recording", "device_mobile_app", "device_mobile_app"]}
    assert (await refused(site, "PATCH", "/extensions/200", json=more))[1] == ["add_ons[2]"]
    status, _ = await site.call("PATCH", f"{PATH}/extensions/200", json={"add_ons": ["call_recording"]})
    assert status == 200


async def test_the_same_key_with_another_file(site: Site) -> None:
    headers = {**CSV, "Idempotency-Key": "k1"}
    for digits, expected in (("201", 200), ("201", 200), ("202", 422)):
        request = {"data": f"{HEADER}{digits},,,,\n".encode(), "headers": headers}
        status, answer = await site.call("POST", f"{PATH}/provision/bulk", **request)
        assert status == expected
    assert answer["code"] == "idempotency_mismatch"
    assert await listed(site) == ["201"]
    path = "/provision/bulk?progress=true"
    headers["Idempotency-Key"] = "k2"
    assert await refused(site, "POST", path, data=HEADER.encode(), headers=headers) == (
        "invalid",
        ["Idempotency-Key"],
    )


async def test_extensions_that_are_not_there(site: Site) -> None:
    for method in ("GET", "DELETE"):
        assert (await refused(site, method, "/extensions/299"))[0] == "unknown_extension"
    assert (await refused(site, "PATCH", "/extensions/299", json={}))[0] == "unknown_extension"


async def test_who_is_limited_to_a_domain_makes_none(site: Site) -> None:
    body = {"data": (HEADER + "201,,eve@other.example,,\n").encode(), "headers": CSV}
    assert await as_limited(site, "POST", "/provision/bulk", **body) == (403, "forbidden")
    assert await as_limited(site, "POST", "/provision", json={"start": "200"}) == (403, "forbidden")
    assert await listed(site) == []


async def test_who_is_limited_to_a_domain_takes_a_user_away(site: Site) -> None:
    await made(site, "200")
    assert await as_limited(site, "PATCH", "/extensions/200", json={"number": "+43 1"}) == (
        404,
        "unknown_extension",
    )
    await site.call("PATCH", f"{PATH}/extensions/200", json={"user": "ann@acme.example"})
    status, view = await as_limited(site, "PATCH", "/extensions/200", json={"user": "a@other.example"})
    assert (status, view) == (404, "unknown_domain")
    status, view = await as_limited(site, "PATCH", "/extensions/200", json={"user": ""})
    assert (status, view["extension"], view["user"]) == (200, "200", "")


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_the_user_is_looked_at_at_the_moment_of_the_change(
    site: Site, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await site.imported({"id": "more"}, jti="key-2", domains=["acme.example", "other.example"])
    await made(site, "200")
    await site.call("PATCH", f"{PATH}/extensions/200", json={"user": "ann@acme.example"})
    amend = Store.amend

    async def late(*args: Any) -> Any:
        monkeypatch.setattr(Store, "amend", amend)
        status, _ = await site.call("PATCH", f"{PATH}/extensions/200", json={"user": "eve@other.example"})
        assert status == 200
        return await amend(*args)

    monkeypatch.setattr(Store, "amend", late)
    request = {"json": {"number": "+43 1"}} if method == "PATCH" else {}
    assert await as_limited(site, method, "/extensions/200", **request) == (404, "unknown_extension")
    assert await listed(site) == ["200"]


async def test_a_suspended_customer_gets_nothing_new(site: Site) -> None:
    await made(site, "200", count=2)
    await site.call("PATCH", f"{PATH}/extensions/200", json={"user": "ann@acme.example"})
    status, _ = await site.call("POST", f"{PATH}/suspend")
    assert status == 200
    for body in ({"user": "bob@acme.example"}, {"add_ons": ["call_recording"]}):
        assert (await refused(site, "PATCH", "/extensions/200", json=body))[0] == "customer_suspended"
    assert (await refused(site, "POST", "/provision", json={"start": "210"}))[0] == "customer_suspended"
    assert (await upload(site, HEADER + "210,,,,\n"))[1]["code"] == "customer_suspended"
    status, _ = await site.call("PATCH", f"{PATH}/extensions/200", json={"user": "", "number": "+43 1"})
    assert status == 200
    status, _ = await site.call("DELETE", f"{PATH}/extensions/201")
    assert status == 204


async def test_the_template_can_be_sent_back(site: Site) -> None:
    more = [{"id": name, "product": name} for name in ("device_desktop_app", "device_ip_phone")]
    await site.imported(*more, jti="key-2")
    async with site.admin.get(
        f"{PATH}/provision/template.csv", headers={"Authorization": f"Bearer {TOKEN}"}
    ) as response:
        assert response.headers["Content-Disposition"] == 'attachment; filename="extensions.csv"'
        text = (await response.text()).replace("example.com", "acme.example")
    status, answer = await upload(site, text, "?dry_run=true")
    assert (status, answer.get("errors")) == (200, [])
    assert [(row["row"], row["extension"], row["outcome"]) for row in answer["report"]] == [
        (2, "201", "checked"),
        (3, "202", "checked"),
    ]
    assert await listed(site) == []


async def test_a_file(site: Site) -> None:
    text = HEADER + "201,,ann@acme.example,call_recording,device_mobile_app\n202,+43 1 5550202,,,\n"
    status, answer = await upload(site, text)
    assert (status, answer["status"], answer["rows"], answer["created"]) == (200, "created", 2, 2)
    assert await listed(site) == ["201", "202"]
    assert await assigned(site, "acme-2") == ["ann@acme.example"]
    _, trail = await site.call("GET", "/api/v1/audit?customer=acme&action=provisioning.bulk")
    assert [change["field"] for entry in trail["items"] for change in entry["changes"]][:2] == [
        "201",
        "acme-2 ann@acme.example",
    ]


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        (
            HEADER + "201,,,,\n999,x,ann,no_such,\n",
            ["row 3, Ext key", "row 3, Number", "row 3, User", "row 3, Addon license (column 4)"],
        ),
        (HEADER + "201,,,,\n201,,,,\n", ["row 3, Ext key"]),
        (HEADER + "".join(f"{number},,,,\n" for number in range(200, 209)), ["row 10, Ext key"]),
        (HEADER + "201,,,,\n202,,,,,more\n", ["row 3"]),
        ("Ext,User\n201,\n", ["row 1, Ext", "row 1, Ext key"]),
        (HEADER, [""]),
        ("", ["row 1, Ext key"]),
    ],
)
async def test_a_bad_file_changes_nothing(site: Site, text: str, paths: list[str]) -> None:
    status, answer = await upload(site, text)
    assert (status, answer["code"]) == (422, "cannot_provision")
    assert [error["path"] for error in answer["errors"]] == paths
    assert await listed(site) == []


async def test_only_csv(site: Site) -> None:
    body = {"data": HEADER.encode(), "headers": {"Content-Type": "application/json"}}
    assert (await refused(site, "POST", "/provision/bulk", **body))[0] == "unsupported_media_type"


async def test_a_file_that_is_too_large(site: Site) -> None:
    big = io.BytesIO(HEADER.encode() + b"x" * (16 * 1024 * 1024))
    assert (await refused(site, "POST", "/provision/bulk", data=big, headers=CSV))[0] == "body_too_large"


async def test_progress(site: Site) -> None:
    await site.imported({"id": "many", "product": "phone_system", "limit": 5000}, jti="key-2")
    blocks = [{"first": "1000", "last": "9999"}, {"first": "200", "last": "299"}]
    await site.call("PATCH", PATH, json={"number_blocks": blocks})
    text = "Ext key\n" + "".join(f"{number}\n" for number in range(1000, 2200))
    headers = {"Authorization": f"Bearer {TOKEN}", **CSV}
    async with site.admin.post(
        f"{PATH}/provision/bulk?progress=true", data=text.encode(), headers=headers
    ) as response:
        steps = [json.loads(line) for line in (await response.text()).splitlines()]
    assert [(step["step"], step["rows"]) for step in steps[:-1]] == [
        ("read", 500), ("read", 1000), ("made", 500), ("made", 1000), ("made", 1200),
    ]  # fmt: skip
    assert (steps[-1]["status"], steps[-1]["created"]) == ("created", 1200)
    status, answer = await site.call("GET", f"{PATH}/extensions?size=1")
    assert (status, answer["total"]) == (200, 1200)
