"""The same numbers wherever they are shown: registry, totals, customers, usage, the stream of events, and /metrics."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.web.conftest import TOKEN, Site


@pytest.fixture
async def day(site: Site) -> Site:
    """Three seats: alice on two devices, bob, carol in the overdraft; dan refused twice, eve not licensed, bob gone again."""
    await site.imported(
        {"limit": 2, "overdraft": 1}, {"product": "CALL_MANAGER", "kind": "nominal", "limit": 3}
    )
    await site.call("PUT", "/api/v1/licenses/acme-2/users/zoe@acme.example")
    told = []
    for user, device, product in (
        ("alice", "a1", "CALL_CENTER"),
        ("alice", "a2", "CALL_CENTER"),
        ("bob", "b1", "CALL_CENTER"),
        ("carol", "c1", "CALL_CENTER"),
        ("dan", "d1", "CALL_CENTER"),
        ("dan", "d2", "CALL_CENTER"),
        ("eve", "e1", "QUALITY_AUDITOR"),
        ("zoe", "z1", "CALL_MANAGER"),
    ):
        told.append(await site.signed_in(f"{user}@acme.example", product, device=device))
    words = [welcome["type"] for _, welcome in told]
    assert words == ["welcome"] * 4 + ["denied"] * 3 + ["welcome"], [welcome for _, welcome in told]
    await told[2][0].send_str('{"type":"bye","id":1}')
    async for _ in told[2][0]:
        pass
    return site


async def metrics(site: Site) -> dict[str, dict[tuple[str, ...], float]]:
    """The page of Prometheus: by name and values of the labels (in the order of their names)."""
    async with site.admin.get("/metrics") as response:
        families = text_string_to_metric_families(await response.text())
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in families:
        for sample in family.samples:
            labels = tuple(sample.labels[name] for name in sorted(sample.labels))
            found.setdefault(sample.name, {})[labels] = sample.value
    return found


async def items(site: Site, path: str) -> list[dict[str, Any]]:
    status, page = await site.call("GET", path)
    assert status == 200, page
    found: list[dict[str, Any]] = page["items"]
    return found


async def test_seats_in_use(day: Site) -> None:
    licenses = {row["id"]: row for row in await items(day, "/api/v1/licenses")}
    assert (licenses["acme-1"]["online"], licenses["acme-2"]["online"]) == (2, 1)
    gauges = await metrics(day)
    for name, field in (
        ("seatd_seats_used", "used"), ("seatd_seats_limit", "limit"), ("seatd_seats_above_limit", "above_limit"),
    ):  # fmt: skip
        shown = {labels[1]: value for labels, value in gauges[name].items()}
        assert shown == {license: row[field] for license, row in licenses.items()}
    usage = {row["license"]: row["in_use"] for row in await items(day, "/api/v1/usage?by=license")}
    assert usage == {license: row["online"] for license, row in licenses.items()}
    (customer,) = await items(day, "/api/v1/customers")
    (whole,) = await items(day, "/api/v1/usage")
    online = sum(row["online"] for row in licenses.values())
    assert customer["in_use"]["seats"] == whole["in_use"] == online == 3
    totals = {row["product"]: row for row in await items(day, "/api/v1/licenses/totals")}
    assert [totals[row["product"]]["online"] for row in licenses.values()] == [
        row["online"] for row in licenses.values()
    ]
    page = await items(day, "/api/v1/sessions")
    held = {(seat["license"], row["user"]) for row in page for seat in row["seats"]}
    assert len(held) == online
    assert len(page) == customer["in_use"]["sessions"] == 4
    assert sum(value for labels, value in gauges["seatd_sessions"].items()) == 4


async def test_what_happened(day: Site) -> None:
    events = await items(day, "/api/v1/events?customer=acme&size=500")
    (whole,) = await items(day, "/api/v1/usage")
    kinds = Counter(event["type"] for event in events)
    assert kinds["granted"] == whole["grants"] == 4
    assert kinds["granted"] - kinds["freed"] == whole["in_use"]


async def test_denials(day: Site) -> None:
    await day.services.hub.untold.flush()  # what only the node refused: it says so once a second
    (whole,) = await items(day, "/api/v1/usage")
    stream: Counter[str] = Counter()
    for denial in await items(day, "/api/v1/denials?customer=acme&size=500"):
        stream[denial["code"]] += denial["times"]
    counted: Counter[str] = Counter()
    for (code, _), value in (await metrics(day))["seatd_denials_total"].items():
        counted[code] += int(value)
    assert dict(stream) == whole["denials"] == dict(+counted) == {"no_seat": 2, "not_licensed": 1}
    by_product = await items(day, "/api/v1/usage?by=product")
    assert sum(row["denied"] for row in by_product) == whole["denied"] == 3


async def test_what_nobody_has_any_more_has_no_gauge(day: Site) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with day.admin.delete("/api/v1/licenses/acme-2", headers=headers) as response:
        assert response.status == 204
    gauges = await metrics(day)
    assert {labels[1] for labels in gauges["seatd_seats_used"]} == {"acme-1"}
