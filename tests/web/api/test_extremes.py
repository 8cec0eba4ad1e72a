"""Times before 1970 and after the calendar's end, and places before the first entry: an answer or a 422, never a 5xx."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.web.conftest import TOKEN, Site

FIRST, LAST = "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"


async def ask(site: Site, path: str, **query: str) -> int:
    status, _ = await site.call("GET", f"/api/v1/{path}", params=query)
    return status


@pytest.mark.parametrize("call", ["events", "denials", "audit"])
@pytest.mark.parametrize("side", ["from", "to"])
@pytest.mark.parametrize("at", [FIRST, LAST])
async def test_times_that_no_entry_can_have(site: Site, call: str, side: str, at: str) -> None:
    await site.imported()
    status, page = await site.call("GET", f"/api/v1/{call}?customer=acme&{side}={quote(at)}")
    assert status == 200
    if (side, at) in (("from", LAST), ("to", FIRST)):
        assert page["items"] == []


@pytest.mark.parametrize("resolution", ["hour", "day", "month"])
async def test_usage_of_such_times(site: Site, resolution: str) -> None:
    await site.imported()
    assert await ask(site, "usage", resolution=resolution, to=FIRST) == 422
    assert await ask(site, "usage", **{"resolution": resolution, "from": FIRST}) == 422
    assert await ask(site, "usage", **{"resolution": resolution, "from": LAST}) == 200
    assert await ask(site, "usage", resolution=resolution, to=LAST) == 200


@pytest.mark.parametrize("side", ["from", "to"])
async def test_a_time_that_cannot_be_is_named(site: Site, side: str) -> None:
    await site.imported()
    at = quote("1970-01-01T00:00:00+14:00")
    status, body = await site.call("GET", f"/api/v1/usage?resolution=hour&{side}={at}")
    assert (status, body["errors"][0]["path"]) == (422, side)


@pytest.mark.parametrize("call", ["events", "denials", "audit"])
async def test_there_is_nothing_before_the_first_place(site: Site, call: str) -> None:
    await site.imported()
    for place in ("0-0", "00-000"):
        status, page = await site.call("GET", f"/api/v1/{call}?customer=acme&before={place}")
        assert (status, page["items"], page["next"]) == (200, [], None)
    assert await ask(site, call, customer="acme", before=f"{'9' * 15}-{'9' * 15}") == 200


@pytest.mark.parametrize(
    ("call", "field"),
    [("events", "before"), ("denials", "before"), ("audit", "before"), ("audit/verify", "after")],
)
@pytest.mark.parametrize("place", ["9" * 20 + "-0", "1-" + "9" * 20, "1-0\n", "\u0661-0", "x"])
async def test_a_place_that_no_entry_can_have(site: Site, call: str, field: str, place: str) -> None:
    await site.imported()
    assert await ask(site, call, customer="acme", **{field: place}) == 422


async def test_verifying_from_the_first_place(site: Site) -> None:
    await site.imported()
    assert await ask(site, "audit/verify", customer="acme", after="0-0") == 200
    assert await ask(site, "audit/verify", customer="acme", head="0" * 64 + "\n") == 422


async def test_an_export_is_text_as_csv_and_a_list_as_json(site: Site) -> None:
    """As the OpenAPI document says of each kind of file."""
    async with site.admin.get("/openapi.json") as response:
        paths = (await response.json())["paths"]
    content = paths["/api/v1/audit/export"]["get"]["responses"]["200"]["content"]
    assert content["text/csv"] == {"schema": {"type": "string"}}
    assert content["application/json"]["schema"]["type"] == "array"
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with site.admin.get("/api/v1/audit/export?format=json", headers=headers) as response:
        assert isinstance(await response.json(), list)
