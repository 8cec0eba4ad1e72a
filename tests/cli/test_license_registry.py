"""`seatd license import`, `list`, `users`, `assign`, `unassign`, `withdraw` against a server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Seatd
from tests.cli.contract_server import Asked, ContractServer, problem

LICENSE = {
    "id": "cc-1", "product": "CALL_CENTER", "kind": "competitive", "competitive": True, "limit": 25, "used": 7,
    "online": 7, "overdraft": 2, "valid_from": "2026-01-01T00:00:00Z", "valid_till": "2027-01-01T00:00:00Z",
    "status": 41, "validity": "valid", "customer": "acme", "domains": ["acme.example"], "new field": 1,
}  # fmt: skip
IMPORTED = {
    "status": "imported", "dry_run": False, "customer": "acme", "domains": ["acme.example"], "added": ["cc-1"],
    "replaced": [], "licenses": [{**LICENSE, "change": "added"}],
    "notices": [{"code": "ends_soon", "license": "cc-1", "message": "the license ends within 30 days"}],
}  # fmt: skip


def test_import_sends_the_key_and_says_what_came_of_it(seatd: Seatd, signed_in: ContractServer) -> None:
    signed_in.answers["POST /api/v1/licenses"] = (200, IMPORTED)
    Path("acme.license").write_text("\ufeffa.b.c\n", "utf-8")
    done = seatd("license", "import", "acme.license")
    assert done.exit_code == 0
    assert signed_in.asked == [Asked("POST", "/api/v1/licenses", {}, {"key": "a.b.c\n"})]
    assert "CALL_CENTER" in done.stdout
    assert "added" in done.stdout
    assert done.stderr == "cc-1: the license ends within 30 days\nImported for acme.\n"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({**IMPORTED, "dry_run": True, "notices": []}, "Dry run for acme: nothing was changed.\n"),
        (
            {**IMPORTED, "status": "already_imported", "notices": []},
            "This key was imported before for acme; nothing changes.\n",
        ),
    ],
)
def test_import_as_a_dry_run(
    seatd: Seatd, signed_in: ContractServer, answer: dict[str, object], message: str
) -> None:
    signed_in.answers["POST /api/v1/licenses"] = (200, answer)
    done = seatd("license", "import", "-", "--dry-run", stdin="a.b.c")
    assert (done.exit_code, done.stderr) == (0, message)
    assert signed_in.asked[0].query == {"dry_run": "true"}


def test_a_dry_run_says_who_would_be_affected(seatd: Seatd, signed_in: ContractServer) -> None:
    lost = {
        "license": "cc-1",
        "above_limit": {"number": 102, "users": ["ann@acme.example", "bob@acme.example"]},
    }
    answer = {**IMPORTED, "dry_run": True, "notices": [], "affected": [lost]}
    signed_in.answers["POST /api/v1/licenses"] = (200, answer)
    done = seatd("license", "import", "-", "--dry-run", stdin="a.b.c")
    assert done.stderr.splitlines()[0] == (
        "cc-1: 102 would be above the limit: ann@acme.example, bob@acme.example and 100 more"
    )


def test_import_refused_says_every_reason(seatd: Seatd, signed_in: ContractServer) -> None:
    errors = [
        {"path": "licenses[0].limit", "message": "must be positive (limit_not_positive)"},
        {"path": "", "message": "something else"},
    ]
    refused = problem("invalid_license_key", "The license key is refused", 422, errors=errors)
    signed_in.answers["POST /api/v1/licenses"] = (422, refused)
    done = seatd("license", "import", "-", stdin="a.b.c")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == (
        "Error: The license key is refused (invalid_license_key).\n"
        "  licenses[0].limit: must be positive (limit_not_positive)\n"
        "  something else\n"
    )


def test_list(seatd: Seatd, signed_in: ContractServer) -> None:
    listing = {"items": [LICENSE], "page": 1, "size": 100, "total": 300}
    signed_in.answers["GET /api/v1/licenses"] = (200, listing)
    done = seatd("license", "list", "--search", "call", "--customer", "acme", "--domain", "acme.example")
    assert done.exit_code == 0
    assert signed_in.asked[0].query == {
        "search": "call", "customer": "acme", "domain": "acme.example", "page": "1", "size": "100",
    }  # fmt: skip
    row = next(line for line in done.stdout.splitlines() if "cc-1" in line)
    assert row.split() == [
        "cc-1", "CALL_CENTER", "competitive", "7", "25", "+2", "2027-01-01", "00:00", "41", "days", "acme",
        "acme.example",
    ]  # fmt: skip
    assert done.stderr == "1 to 1 of 300; other pages with --page.\n"


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"status": 0}, "ends today"),
        ({"validity": "expired"}, "expired"),
        ({"validity": "not_yet_valid"}, "not yet valid"),
    ],
)
def test_list_says_when_a_license_does_not_count(
    seatd: Seatd, signed_in: ContractServer, fields: dict[str, object], shown: str
) -> None:
    listing = {"items": [LICENSE | fields], "page": 1, "size": 100, "total": 1}
    signed_in.answers["GET /api/v1/licenses"] = (200, listing)
    done = seatd("license", "list")
    assert shown in done.stdout
    assert done.stderr == ""


def test_json_is_what_the_server_answered(seatd: Seatd, signed_in: ContractServer) -> None:
    listing = {"items": [LICENSE], "page": 1, "size": 100, "total": 1}
    signed_in.answers["GET /api/v1/licenses"] = (200, listing)
    assert json.loads(seatd("license", "list", "--json").stdout) == listing


def test_users(seatd: Seatd, signed_in: ContractServer) -> None:
    row = {
        "user": "alice@acme.example", "domain": "acme.example", "used": True, "sessions": 2,
        "since": "2026-05-01T08:00:00Z", "assigned": False,
    }  # fmt: skip
    listing = {"items": [row], "page": 1, "size": 100, "total": 1}
    signed_in.answers["GET /api/v1/licenses/cc-1/users"] = (200, listing)
    done = seatd("license", "users", "cc-1", "--search", "ali")
    assert done.exit_code == 0
    assert signed_in.asked[0].query == {"search": "ali", "page": "1", "size": "100"}
    assert "alice@acme.example   acme.example   yes             2   2026-05-01 08:00" in done.stdout


@pytest.mark.parametrize(
    ("status", "message"),
    [
        ("assigned", "mail-1 is assigned to a/b@acme: 3 of 10 assigned.\n"),
        ("already", "mail-1 was assigned already to a/b@acme: 3 of 10 assigned.\n"),
    ],
)
def test_assign(seatd: Seatd, signed_in: ContractServer, status: str, message: str) -> None:
    answer = {"license": "mail-1", "user": "a/b@acme", "status": status, "used": 3, "limit": 10}
    signed_in.answers["PUT /api/v1/licenses/mail-1/users/a%2Fb%40acme"] = (200, answer)
    done = seatd("license", "assign", "mail-1", "a/b@acme")
    assert (done.exit_code, done.stderr) == (0, message)


def test_assign_refused(seatd: Seatd, signed_in: ContractServer) -> None:
    signed_in.answers["PUT /api/v1/licenses/mail-1/users/a%40acme"] = (
        409,
        problem("license_full", "All of the license is assigned", 409, detail="10 of 10 are assigned."),
    )
    done = seatd("license", "assign", "mail-1", "a@acme")
    assert (done.exit_code, done.stderr) == (
        1,
        "Error: All of the license is assigned (license_full).\n  10 of 10 are assigned.\n",
    )


def test_unassign_and_withdraw(seatd: Seatd, signed_in: ContractServer) -> None:
    signed_in.answers["DELETE /api/v1/licenses/mail-1/users/a%40acme"] = (204, None)
    signed_in.answers["DELETE /api/v1/licenses/mail-1"] = (204, None)
    taken = seatd("license", "unassign", "mail-1", "a@acme")
    assert (taken.exit_code, taken.stderr) == (0, "mail-1 is no longer assigned to a@acme.\n")
    gone = seatd("license", "withdraw", "mail-1")
    assert (gone.exit_code, gone.stderr) == (0, "mail-1 is withdrawn.\n")
    unknown = seatd("license", "withdraw", "cc/1")
    assert (unknown.exit_code, unknown.stderr) == (1, "Error: There is nothing here (not_found).\n")
    assert signed_in.asked[-1].path == "/api/v1/licenses/cc%2F1"


def test_an_answer_that_steers_the_terminal_is_shown_harmless(
    seatd: Seatd, signed_in: ContractServer
) -> None:
    row = LICENSE | {"product": "A\x1b[2J[red]B", "customer": ":smile:"}
    signed_in.answers["GET /api/v1/licenses"] = (200, {"items": [row], "page": 1, "size": 100, "total": 1})
    done = seatd("license", "list")
    assert "A\ufffd[2J[red]B" in done.stdout
    assert ":smile:" in done.stdout
    assert "\x1b" not in done.stdout
