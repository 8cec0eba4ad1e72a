"""`seatd session list`, `logout` and `status` against a server."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import signal
import subprocess
import sys

import pytest

from tests.cli.conftest import Seatd
from tests.cli.contract_server import ContractServer
from tests.cli.process import environment

SESSION = {
    "session": "s1", "customer": "acme", "user": "alice@acme.example", "domain": "acme.example",
    "device": {"kind": "desktop", "id": "d1", "name": "", "version": "1"}, "node": "n1", "state": "attached",
    "since": "2026-05-01T08:00:00Z", "until": None,
    "seats": [
        {"product": "CALL_CENTER", "license": "cc-1", "kind": "competitive", "overdraft": False},
        {"product": "EMAIL", "license": "mail-1", "kind": "nominal", "overdraft": True},
    ],
}  # fmt: skip
SESSIONS = {"items": [SESSION], "page": 1, "size": 100, "total": 1}
LICENSE = {
    "id": "cc-1", "product": "CALL_CENTER", "kind": "competitive", "limit": 4, "used": 1,
    "valid_from": "2026-01-01T00:00:00Z", "valid_till": "2027-01-01T00:00:00Z", "status": 41,
    "validity": "valid", "customer": "acme",
}  # fmt: skip


def test_session_list(seatd: Seatd, signed_in: ContractServer) -> None:
    signed_in.answers["GET /api/v1/sessions"] = (200, SESSIONS)
    done = seatd("session", "list", "--user", "alice@acme.example", "--page", "2", "--size", "10")
    assert (done.exit_code, done.stderr) == (0, "")
    assert signed_in.asked[0].query == {"user": "alice@acme.example", "page": "2", "size": "10"}
    row = next(line for line in done.stdout.splitlines() if "s1" in line)
    assert re.split(" {2,}", row.strip()) == [
        "s1", "alice@acme.example", "desktop d1", "attached", "n1", "2026-05-01 08:00",
        "CALL_CENTER, EMAIL (overdraft)",
    ]  # fmt: skip


@pytest.mark.parametrize("words", [("--page", "0"), ("--size", "501"), ("--size", "x")])
def test_pages_that_cannot_be(seatd: Seatd, words: tuple[str, ...]) -> None:
    assert seatd("session", "list", *words).exit_code == 2


def receipt(outcome: str, *, milliseconds: int | None = 41) -> dict[str, object]:
    done = outcome == "acknowledged"
    return {
        "session": "s1", "user": "alice@acme.example", "device": SESSION["device"], "node": "n1",
        "delivered": done, "acknowledged": done, "milliseconds": milliseconds, "outcome": outcome,
    }  # fmt: skip


def test_logout_shows_the_receipts(seatd: Seatd, signed_in: ContractServer) -> None:
    signed_in.answers["POST /api/v1/logout"] = (200, {"sessions": [receipt("acknowledged")], "logged_out": 1})
    done = seatd(
        "logout", "alice@acme.example", "bob@acme.example", "--session", "s9", "--license", "cc-1", "--domain",
        "acme.example", "--customer", "acme", "--reason", "the shift is over", "--cooldown", "2m",
    )  # fmt: skip
    assert (done.exit_code, done.stderr) == (0, "")
    assert signed_in.asked[0].body == {
        "users": ["alice@acme.example", "bob@acme.example"], "sessions": ["s9"], "license": "cc-1",
        "domain": "acme.example", "customer": "acme", "reason": "the shift is over", "cooldown_s": 120,
    }  # fmt: skip
    row = next(line for line in done.stdout.splitlines() if "s1" in line)
    assert row.split() == [
        "s1",
        "alice@acme.example",
        "desktop",
        "d1",
        "n1",
        "yes",
        "yes",
        "41",
        "acknowledged",
    ]


def test_logout_sends_only_what_was_said(seatd: Seatd, signed_in: ContractServer) -> None:
    signed_in.answers["POST /api/v1/logout"] = (200, {"sessions": []})
    done = seatd("logout", "alice@acme.example", "--cooldown", "0")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "Nobody was signed in.\n")
    assert signed_in.asked[0].body == {"users": ["alice@acme.example"], "cooldown_s": 0}


def test_logout_says_what_is_not_confirmed(seatd: Seatd, signed_in: ContractServer) -> None:
    receipts = [receipt("pending", milliseconds=None), receipt("closed")]
    signed_in.answers["POST /api/v1/logout"] = (200, {"sessions": receipts})
    done = seatd("logout", "alice@acme.example")
    assert done.exit_code == 0
    assert done.stderr == (
        "1 not confirmed yet: logged out, but the seat is free only when the client's lease ends.\n"
    )
    assert json.loads(seatd("logout", "alice@acme.example", "--json").stdout) == {"sessions": receipts}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "Say whom to log out: USER..., --session, --license, --domain or --customer."),
        (
            ("a@acme", "--cooldown", "soon"),
            "Invalid value for '--cooldown': 'soon' is not a duration such as 60s, 15m, 1h or 30d.",
        ),
        (
            ("a@acme", "--cooldown", "-5s"),
            "Invalid value for '--cooldown': '-5s' is not a duration such as 60s, 15m, 1h or 30d.",
        ),
    ],
)
def test_logout_wrongly_said(seatd: Seatd, words: tuple[str, ...], message: str) -> None:
    done = seatd("logout", *words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.endswith(f"Error: {message}\n")


def test_status(seatd: Seatd, signed_in: ContractServer) -> None:
    full = LICENSE | {"id": "cc-2", "used": 4}
    signed_in.answers["GET /api/v1/licenses"] = (200, {"items": [LICENSE, full], "total": 2})
    signed_in.answers["GET /api/v1/sessions"] = (200, {"items": [SESSION], "total": 21})
    done = seatd("status", "--customer", "acme")
    assert (done.exit_code, done.stderr) == (0, "")
    assert signed_in.asked[0].query == {"customer": "acme", "size": "500"}
    assert "2 licenses" in done.stdout
    assert "21 live sessions, the first 20" in done.stdout
    used = {
        row.split()[0]: row.count("\N{BOX DRAWINGS HEAVY HORIZONTAL}")
        for row in done.stdout.splitlines()
        if "cc-" in row
    }
    assert used["cc-1"] < used["cc-2"] == 20


def test_status_for_programs(seatd: Seatd, signed_in: ContractServer) -> None:
    licenses = {"items": [LICENSE], "total": 1}
    signed_in.answers["GET /api/v1/licenses"] = (200, licenses)
    signed_in.answers["GET /api/v1/sessions"] = (200, SESSIONS)
    assert json.loads(seatd("status", "--json").stdout) == {"licenses": licenses, "sessions": SESSIONS}


def test_watching_needs_a_terminal(seatd: Seatd) -> None:
    done = seatd("status", "--watch")
    assert done.exit_code == 2
    assert done.stderr.endswith("Error: --watch needs a terminal; for programs there is --watch --json.\n")


def test_watching_goes_on_until_it_is_stopped(signed_in: ContractServer) -> None:
    signed_in.answers["GET /api/v1/licenses"] = (200, {"items": [LICENSE], "total": 1})
    signed_in.answers["GET /api/v1/sessions"] = (200, SESSIONS)
    terminal, child = pty.openpty()
    words = [sys.executable, "-m", "seatd", "status", "--watch", "--every", "1s"]
    with subprocess.Popen(words, stdin=child, stdout=child, stderr=child, env=environment()) as watching:
        os.close(child)
        seen = b""
        while len(signed_in.asked) < 4:  # licenses and sessions, twice
            seen += os.read(terminal, 65536)
        watching.send_signal(signal.SIGINT)
        with contextlib.suppress(OSError):  # that is how a terminal ends
            while chunk := os.read(terminal, 65536):
                seen += chunk
    os.close(terminal)
    assert watching.returncode == 0
    assert b"CALL_CENTER" in seen
    assert b"Traceback" not in seen
