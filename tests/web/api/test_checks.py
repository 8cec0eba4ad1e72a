"""What the node tells `seatd doctor`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from seatd.licensing.trust import TrustStore
from seatd.web.api import checks
from seatd.web.api.checks import exposure, store_access
from tests.web.conftest import Site


async def found(site: Site) -> dict[str, Any]:
    status, body = await site.call("GET", "/api/v1/checks")
    assert (status, body["node"]) == (200, "n1")
    return {check["name"]: check["level"] for check in body["items"]}


async def test_a_node_that_is_well(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks.resource, "getrlimit", lambda _: (1_000_000, 1_000_000))
    levels = await found(site)
    assert levels.pop("store") == "warning"  # the tests' engine keeps nothing on disk
    assert levels == dict.fromkeys(
        (
            "store access",
            "trust",
            "tokens",
            "clocks",
            "clock rate",
            "limits",
            "ready",
            "licenses",
            "admin listener",
        ),
        "ok",
    )


async def test_clocks_and_limits_that_are_not(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks.resource, "getrlimit", lambda _: (1024, 1024))
    monkeypatch.setattr(checks, "CLOCK_WARNING_S", 0.0)
    levels = await found(site)
    assert (levels["limits"], levels["clocks"]) == ("warning", "warning")
    monkeypatch.setattr(checks, "CLOCK_WRONG_S", 0.0)
    assert (await found(site))["clocks"] == "wrong"
    site.services.hub.draining = True
    assert (await found(site))["ready"] == "wrong"
    assert checks._trust(replace(site.services, trust=TrustStore())).level == "warning"


async def test_licenses_above_their_limit(site: Site) -> None:
    chat = {"product": "CHAT", "kind": "nominal"}
    await site.imported({**chat, "limit": 2}, {**chat, "limit": 1})
    for name in ("one", "two"):
        await site.call("PUT", f"/api/v1/domains/acme.example/resources/CHAT/{name}")
    assert (await found(site))["licenses"] == "ok"
    await site.call("DELETE", "/api/v1/licenses/acme-1")
    assert (await found(site))["licenses"] == "warning"


@pytest.mark.parametrize(
    ("host", "level"),
    [("127.0.0.1", "ok"), ("::1", "ok"), ("localhost", "ok"), ("0.0.0.0", "warning"), ("::", "warning"),
     ("10.0.0.1", "warning"), ("", "warning"), ("admin.example", "warning")],
)  # fmt: skip
def test_whom_the_admin_listener_lets_in(host: str, level: str) -> None:
    assert exposure(host).level == level


def test_who_may_come_at_the_store() -> None:
    assert store_access("").level == "ok"
    assert store_access("it is asked without a password").level == "warning"


async def test_clocks_that_agree_differ_by_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(site.services.hub.leases), "store_ms", lambda *_: 999)
    monkeypatch.setattr("seatd.web.api.checks.time.time", lambda: 1.0)
    _, body = await site.call("GET", "/api/v1/checks")
    told = {check["name"]: check["message"] for check in body["items"]}
    assert told["clocks"] == "the store's clock is +0.0 s from this node's"
