"""Health pages and the page for Prometheus, with the store there and away."""

from __future__ import annotations

import re

import pytest

from tests.hub.test_endings import out_of_reach
from tests.web.conftest import Site, license_key


async def page(site: Site, path: str) -> tuple[int, str]:
    async with site.admin.get(path) as response:
        return response.status, await response.text()


async def test_ready(site: Site) -> None:
    assert await page(site, "/readyz") == (200, "ok\n")
    status, text = await page(site, "/readyz?verbose")
    checks = "".join(f"[+] {name}\n" for name in site.services.hub.checks())
    assert (status, text) == (200, checks + "ok\n")


async def test_not_ready_while_draining_but_alive(site: Site) -> None:
    site.services.hub.draining = True
    reason = site.services.hub.checks()["draining"]
    assert await page(site, "/readyz") == (503, f"[-] draining: {reason}\nnot ready\n")
    status, text = await page(site, "/readyz?verbose")
    assert status == 503
    assert "[+] store\n" in text
    assert await page(site, "/livez") == (200, "ok\n")


async def test_metrics_come_from_one_snapshot_per_scrape(site: Site) -> None:
    await site.imported({"limit": 7})
    used = 'seatd_seats_used{customer="acme",license="acme-1",product="CALL_CENTER"}'
    _, text = await page(site, "/metrics")
    assert f"{used} 0.0\n" in text
    await site.signed_in("alice@acme.example", "CALL_CENTER")
    _, text = await page(site, "/metrics")
    assert f"{used} 1.0\n" in text
    assert f"{used.replace('used', 'limit')} 7.0\n" in text
    assert "alice" not in text
    await site.call("DELETE", "/api/v1/licenses/acme-1")
    _, text = await page(site, "/metrics")
    assert re.search(r"^seatd_seats_used", text, re.MULTILINE) is None


@pytest.mark.parametrize("number", [1, 200])
@pytest.mark.parametrize(("accepted", "coding"), [("gzip, deflate", "gzip"), ("identity", None)])
async def test_metrics_are_compressed_for_whom_it_suits(
    site: Site, accepted: str, coding: str | None, number: int
) -> None:
    await site.imported(*({} for _ in range(number)))
    async with site.admin.get("/metrics", headers={"Accept-Encoding": accepted}) as response:
        assert response.headers.get("Content-Encoding") == coding
        assert (await response.text()).count("\nseatd_seats_limit{") == number


async def test_metrics_without_the_store(site: Site) -> None:
    await site.imported()
    with out_of_reach(site.services.hub):
        status, text = await page(site, "/metrics")
        assert status == 200
        assert "seatd_store_up 0.0\n" in text
        assert "seatd_parked_sessions NaN\n" in text
        assert re.search(r"^seatd_seats_used", text, re.MULTILINE) is None
        async with site.admin.get("/api/v1/licenses") as response:
            assert response.status == 401
        status, body = await site.call("POST", "/api/v1/licenses", json={"key": license_key()})
        assert (status, body["code"]) == (503, "unavailable")
    _, text = await page(site, "/metrics")
    assert "seatd_store_up 1.0\n" in text
    assert "seatd_parked_sessions 0.0\n" in text


async def test_metrics_are_also_there_in_the_openmetrics_format(site: Site) -> None:
    async with site.admin.get("/metrics", headers={"Accept": "application/openmetrics-text"}) as response:
        assert response.content_type == "application/openmetrics-text"
        assert (await response.text()).endswith("# EOF\n")
