"""`seatd doctor` against a server: what it asks, what it says, how it exits."""

from __future__ import annotations

import json

import pytest

from seatd.cli.doctor import _way
from tests.cli.conftest import Seatd
from tests.cli.contract_server import ContractServer, problem

FINE = {"name": "store", "level": "ok", "message": "its settings keep what it acknowledges"}
HEAD = "ab" * 32


@pytest.fixture
def healthy(signed_in: ContractServer) -> ContractServer:
    """A server with nothing wrong, and two trails."""
    trails = [{"customer": None, "entries": 0}, {"customer": "acme", "entries": 3}]
    signed_in.answers |= {
        "GET /api/v1/checks": (200, {"node": "n1", "items": [FINE]}),
        "GET /api/v1/audit/trails": (200, {"items": trails, "page": 1, "size": 500, "total": 2}),
        "GET /api/v1/audit/verify": (200, {"checked": 3, "broken": None, "next": None, "head": HEAD}),
    }
    return signed_in


def test_all_is_well(seatd: Seatd, healthy: ContractServer) -> None:
    done = seatd("doctor")
    assert done.exit_code == 0
    assert "its settings keep" in done.stdout
    assert "6 entries in 2 trails are whole" in done.stdout
    asked = [call.query for call in healthy.asked if call.path.endswith("verify")]
    assert asked == [{"after": "", "head": ""}, {"customer": "acme", "after": "", "head": ""}]


def test_a_warning_is_not_wrong(seatd: Seatd, healthy: ContractServer) -> None:
    healthy.answers["GET /api/v1/checks"] = (200, {"node": "n1", "items": [{**FINE, "level": "warning"}]})
    assert seatd("doctor").exit_code == 0


@pytest.mark.parametrize("what", ["check", "trail"])
def test_something_is_wrong(seatd: Seatd, healthy: ContractServer, what: str) -> None:
    if what == "check":
        healthy.answers["GET /api/v1/checks"] = (200, {"node": "n1", "items": [{**FINE, "level": "wrong"}]})
    else:
        broken = {"checked": 2, "broken": "17-0", "next": None, "head": HEAD}
        healthy.answers["GET /api/v1/audit/verify"] = (200, broken)
    done = seatd("doctor")
    assert done.exit_code == 1
    assert ("acme: broken at 17-0, entry 2" in done.stderr) == (what == "trail")


@pytest.mark.parametrize(
    ("kept", "verified", "said"),
    [
        (2, {"statements": 2, "changed": ["acme-2026-0002"]}, "changed or gone: acme-2026-0002"),
        (3, {"statements": 2, "changed": []}, "kept but never issued: acme"),
    ],
)
def test_statements_that_are_not_as_they_were_issued(
    seatd: Seatd, healthy: ContractServer, kept: int, verified: dict[str, object], said: str
) -> None:
    trails = [{"customer": "acme", "entries": 3, "statements": kept}]
    found = {"checked": 3, "broken": None, "next": None, "head": HEAD, **verified}
    healthy.answers["GET /api/v1/audit/trails"] = (
        200,
        {"items": trails, "page": 1, "size": 500, "total": 1},
    )
    healthy.answers["GET /api/v1/audit/verify"] = (200, found)
    done = seatd("doctor", "--json")
    checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert done.exit_code == 1
    assert (checks["statements"]["level"], checks["statements"]["message"]) == ("wrong", said)
    assert checks["audit trails"]["level"] == "ok"


def test_for_programs(seatd: Seatd, healthy: ContractServer) -> None:
    done = seatd("doctor", "--json")
    report = json.loads(done.stdout)
    assert (done.exit_code, report["healthy"]) == (0, True)
    assert report["trails"][1] == {"customer": "acme", "checked": 3, "broken": None}
    assert [check["name"] for check in report["checks"]] == [
        "store",
        "connection",
        "audit trails",
        "statements",
    ]


def test_who_may_not(seatd: Seatd, signed_in: ContractServer) -> None:
    signed_in.answers["GET /api/v1/checks"] = (403, problem("forbidden", "Not allowed", 403))
    assert seatd("doctor").exit_code == 4


@pytest.mark.parametrize(
    ("url", "level"),
    [("http://127.0.0.1:1", "ok"), ("https://a.example", "ok"), ("http://a.example", "warning")],
)
def test_how_the_token_travels(url: str, level: str) -> None:
    assert _way(url).level == level


def test_long_trails_show_how_far_it_is(
    seatd: Seatd, healthy: ContractServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seatd.cli.doctor.LONG", 1)
    monkeypatch.setenv("FORCE_COLOR", "1")
    done = seatd("doctor", "--json")
    assert (done.exit_code, json.loads(done.stdout)["healthy"]) == (0, True)
    assert "audit trails" in done.stderr
