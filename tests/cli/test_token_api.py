"""`seatd token api` against a server."""

from __future__ import annotations

import json
import re
from typing import get_args

from seatd.cli.grant import ROLES
from seatd.store.access_values import Role
from tests.cli.conftest import Seatd
from tests.cli.contract_server import ContractServer

MADE = {"id": "t1", "token": "seatd_secret", "expires": "2026-05-01T08:00:00Z"}


def test_the_roles_are_those_of_the_server() -> None:
    assert get_args(Role) == ROLES


def test_only_the_token_goes_to_standard_output(seatd: Seatd, signed_in: ContractServer) -> None:
    signed_in.answers["POST /api/v1/tokens"] = (200, MADE)
    done = seatd(
        "token", "api", "--role", "auditor", "--customer", "acme", "--domain", "acme.example", "--days", "7",
        "--name", "billing",
    )  # fmt: skip
    assert (done.exit_code, done.stdout) == (0, "seatd_secret\n")
    assert re.fullmatch(r"Token t1, good until 2026-05-01 08:00 UTC; .*\n", done.stderr)
    grant = {"role": "auditor", "customers": ["acme"], "domains": ["acme.example"]}
    assert signed_in.asked[0].body == {"name": "billing", "grant": grant, "days": 7}


def test_without_an_end(seatd: Seatd, signed_in: ContractServer) -> None:
    signed_in.answers["POST /api/v1/tokens"] = (200, MADE | {"expires": None})
    done = seatd("token", "api", "--role", "agency", "--agency", "a", "--days", "0", "--json")
    assert json.loads(done.stdout)["token"] == "seatd_secret"
    body = signed_in.asked[0].body
    assert (body["grant"], body["days"]) == ({"role": "agency", "agency": "a"}, None)


def test_wrongly_said(seatd: Seatd) -> None:
    for words in (
        (),
        ("--role", "emperor"),
        ("--role", "auditor", "--days", "-1"),
        ("--role", "auditor", "--days", "soon"),
    ):
        assert seatd("token", "api", *words).exit_code == 2
