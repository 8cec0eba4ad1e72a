"""`seatd admin` against a server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Seatd
from tests.cli.contract_server import ContractServer, problem

ANN = {
    "name": "ann", "grants": [{"number": 0, "role": "owner", "agency": "", "customers": ["acme"], "domains": []}],
    "has_password": True, "totp": False, "must_totp": True, "disabled": True, "created": "2026-05-01T08:00:00Z",
    "created_by": "x",
}  # fmt: skip
PASSWORD = "correct horse battery staple"


def test_the_password_is_asked_for_and_not_shown(seatd: Seatd, signed_in: ContractServer) -> None:
    signed_in.answers["POST /api/v1/administrators"] = (200, ANN)
    done = seatd("admin", "create", "ann", stdin=f"{PASSWORD}\n{PASSWORD}\n")
    assert done.exit_code == 0
    assert signed_in.asked[0].body == {
        "name": "ann", "grants": [{"role": "operator"}], "password": PASSWORD, "must_totp": False,
    }  # fmt: skip
    assert PASSWORD not in done.output
    assert "ann may sign in." in done.stderr


def test_or_comes_from_a_file(seatd: Seatd, signed_in: ContractServer) -> None:
    signed_in.answers["POST /api/v1/administrators"] = (200, ANN)
    Path("password").write_text(f"{PASSWORD}\n")
    done = seatd(
        "admin", "create", "ann", "--role", "supervisor", "--customer", "acme", "--domain", "a.example",
        "--domain", "b.example", "--password-file", "password", "--must-totp",
    )  # fmt: skip
    assert (done.exit_code, done.stdout) == (0, "")
    body = signed_in.asked[0].body
    assert (body["password"], body["must_totp"]) == (PASSWORD, True)
    assert body["grants"] == [
        {"role": "supervisor", "customers": ["acme"], "domains": ["a.example", "b.example"]}
    ]


def test_never_from_the_command_line(seatd: Seatd) -> None:
    assert seatd("admin", "create", "ann", "--password", PASSWORD).exit_code == 2
    assert seatd("admin", "create", "ann", PASSWORD).exit_code == 2


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe"])
def test_a_file_that_holds_none(seatd: Seatd, signed_in: ContractServer, content: bytes) -> None:
    Path("password").write_bytes(content)
    done = seatd("admin", "create", "ann", "--password-file", "password")
    assert (done.exit_code, signed_in.asked) == (1, [])


def test_without_a_password(seatd: Seatd, signed_in: ContractServer) -> None:
    signed_in.answers["POST /api/v1/administrators"] = (200, ANN)
    done = seatd("admin", "create", "ann", "--no-password")
    assert done.stderr == "ann may sign in by a link: seatd admin link ann\n"


def test_who_cannot_reach_a_server_is_not_asked_first(seatd: Seatd) -> None:
    done = seatd("admin", "create", "ann")
    assert (done.exit_code, "Password" in done.output) == (3, False)


def test_list(seatd: Seatd, signed_in: ContractServer) -> None:
    signed_in.answers["GET /api/v1/administrators"] = (200, {"items": [ANN], "total": 1})
    done = seatd("admin", "list", "--search", "a")
    assert signed_in.asked[0].query == {"page": "1", "size": "100", "search": "a"}
    row = next(line for line in done.stdout.splitlines() if "ann" in line)
    assert row.split() == ["ann", "owner", "(acme)", "yes", "must", "disabled", "2026-05-01", "08:00"]


@pytest.mark.parametrize(("verb", "value"), [("disable", True), ("enable", False)])
def test_disable_and_enable(seatd: Seatd, signed_in: ContractServer, verb: str, value: bool) -> None:
    signed_in.answers["PATCH /api/v1/administrators/ann"] = (200, ANN)
    assert seatd("admin", verb, "ann").stderr == f"ann is {verb}d.\n"
    assert signed_in.asked[0].body == {"disabled": value}


def test_what_the_server_refuses(seatd: Seatd, signed_in: ContractServer) -> None:
    refusal = problem("last_operator", "The last operator cannot go", 409)
    signed_in.answers["PATCH /api/v1/administrators/ann"] = (409, refusal)
    done = seatd("admin", "disable", "ann")
    assert (done.exit_code, done.stderr) == (1, "Error: The last operator cannot go (last_operator).\n")


@pytest.mark.parametrize("there", [True, False])
def test_link(seatd: Seatd, signed_in: ContractServer, there: bool) -> None:
    found = [ANN] if there else [ANN | {"name": "anna"}]
    signed_in.answers["GET /api/v1/administrators"] = (200, {"items": found, "total": 1})
    signed_in.answers["POST /api/v1/administrators"] = (200, ANN)
    signed_in.answers["POST /api/v1/sign-in-links"] = (200, {"link": "abc", "path": "/console/sign-in#abc"})
    done = seatd("admin", "link", "ann", "--create")
    assert done.stdout == f"{signed_in.url}/console/sign-in#abc\n"
    made = [asked.body for asked in signed_in.asked if asked[:2] == ("POST", "/api/v1/administrators")]
    assert made == ([] if there else [{"name": "ann", "grants": [{"role": "operator"}]}])
