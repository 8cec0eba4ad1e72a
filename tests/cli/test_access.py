"""Which server is meant, and what is said when it cannot be reached or does not let us in."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from seatd.cli.local import reachable_url
from tests.cli.conftest import Seatd
from tests.cli.contract_server import TOKEN, ContractServer, problem

EMPTY = {"items": [], "page": 1, "size": 100, "total": 0}


def data_folder(server_address: str, token: str = TOKEN) -> Path:
    folder = Path("seatd-data")
    folder.mkdir()
    running = {"clients": "127.0.0.1:1", "admin": server_address, "node": "n", "pid": 1, "store": "x"}
    (folder / "seatd.json").write_text(json.dumps(running))
    (folder / "admin.token").write_text(f"{token}\n")
    return folder


@pytest.mark.parametrize("scheme", ["", "http://"])
def test_the_local_data_folder_is_enough(seatd: Seatd, server: ContractServer, scheme: str) -> None:
    server.answers["GET /api/v1/sessions"] = (200, EMPTY)
    data_folder(scheme + server.url.removeprefix("http://"))
    assert seatd("session", "list").exit_code == 0


def test_another_data_folder(seatd: Seatd, server: ContractServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.answers["GET /api/v1/sessions"] = (200, EMPTY)
    data_folder(server.url).rename("elsewhere")
    assert seatd("session", "list", "--data", "elsewhere").exit_code == 0
    monkeypatch.setenv("SEATD_STORE_DATA", "elsewhere")
    assert seatd("session", "list").exit_code == 0


def test_flags_are_stronger_than_the_data_folder(seatd: Seatd, server: ContractServer) -> None:
    server.answers["GET /api/v1/sessions"] = (200, EMPTY)
    data_folder("127.0.0.1:1", "another-token")
    assert seatd("session", "list", "--url", server.url + "/", "--token", TOKEN).exit_code == 0


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("127.0.0.1:8471", "http://127.0.0.1:8471"),
        ("0.0.0.0:8471", "http://127.0.0.1:8471"),
        ("[::]:8471", "http://[::1]:8471"),
        ("[::1]:8471", "http://[::1]:8471"),
        ("https://seats.example/", "https://seats.example"),
    ],
)
def test_listening_addresses_as_urls(address: str, url: str) -> None:
    assert reachable_url(address, "http") == url


def failure(seatd: Seatd, *words: str) -> tuple[int, str]:
    done = seatd("session", "list", *words)
    assert done.stdout == ""
    return done.exit_code, done.stderr.partition("Error: ")[2]


def test_no_data_folder(seatd: Seatd) -> None:
    assert failure(seatd) == (
        3,
        "There is no running server in seatd-data (no seatd.json). Start one with `seatd serve`, or say where "
        "it is: --data, or --url and --token.\n",
    )


def test_a_url_needs_its_own_token(seatd: Seatd, server: ContractServer) -> None:
    """The data folder's token must not go to whatever address is typed."""
    data_folder(server.url)
    assert failure(seatd, "--url", server.url) == (
        2,
        "--url needs an API token as well: --token, or SEATD_TOKEN.\n",
    )
    assert server.asked == []


@pytest.mark.parametrize("url", ["127.0.0.1:8471", "ftp://x", "http://", "http://[", "http://x:99999"])
def test_what_is_no_url(seatd: Seatd, url: str) -> None:
    assert failure(seatd, "--url", url, "--token", "t") == (
        2,
        "--url must be the admin address, such as http://127.0.0.1:8471.\n",
    )


def test_a_token_that_could_break_the_request(seatd: Seatd) -> None:
    assert failure(seatd, "--url", "http://127.0.0.1:1", "--token", "a\nb") == (
        2,
        "The API token holds characters that no token has.\n",
    )


def test_a_data_folder_without_its_token(seatd: Seatd) -> None:
    (data_folder("127.0.0.1:1") / "admin.token").unlink()
    assert failure(seatd) == (
        4,
        "seatd-data/admin.token cannot be read; give --token, or SEATD_TOKEN.\n",
    )


def test_nobody_listens(seatd: Seatd) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert failure(seatd, "--url", f"http://127.0.0.1:{port}", "--token", "t") == (
        3,
        f"Cannot reach seatd at http://127.0.0.1:{port}: Connection refused.\n",
    )


def test_a_wrong_token(seatd: Seatd, server: ContractServer) -> None:
    assert failure(seatd, "--url", server.url, "--token", "wrong") == (
        4,
        "A valid API token is needed (unauthenticated).\n",
    )


def test_what_the_role_does_not_allow(seatd: Seatd, signed_in: ContractServer) -> None:
    signed_in.answers["GET /api/v1/sessions"] = (
        403,
        problem("forbidden", "The role does not allow this", 403),
    )
    assert failure(seatd) == (4, "The role does not allow this (forbidden).\n")


def test_a_server_whose_store_is_away(seatd: Seatd, signed_in: ContractServer) -> None:
    away = problem("unavailable", "The store is away", 503, detail="The store did not answer; try again.")
    signed_in.answers["GET /api/v1/sessions"] = (503, away)
    assert failure(seatd) == (1, "The store is away (unavailable).\n  The store did not answer; try again.\n")


@pytest.mark.parametrize(("status", "body"), [(302, b""), (404, b"<html>"), (500, b"\xff"), (502, b"null")])
def test_a_server_that_is_not_seatd(
    seatd: Seatd, signed_in: ContractServer, status: int, body: bytes
) -> None:
    signed_in.answers["GET /api/v1/sessions"] = (status, body)
    assert failure(seatd) == (
        1,
        f"{signed_in.url} answered {status}, but not as seatd does; is it the admin address?\n",
    )


def test_an_answer_in_another_shape(seatd: Seatd, signed_in: ContractServer) -> None:
    signed_in.answers["GET /api/v1/sessions"] = (200, {"items": 7})
    code, message = failure(seatd)
    assert code == 1
    assert message.startswith("The server answered something that this seatd does not understand: Expected")
