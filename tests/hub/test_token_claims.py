"""What a well signed token says: every bad claim has its own refusal."""

from __future__ import annotations

import json
from typing import Any

import pytest

from seatd.hub.tokens import canonical_user
from seatd.licensing.names import BadName
from tests.hub.token_checking import hs256, refusal, shared, signed_bytes
from tests.hub.token_factory import (
    CLAIMS,
    NOW_S,
)


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"drop": "exp"}, "wrong or missing claims"),
        ({"drop": "sub"}, "wrong or missing claims"),
        ({"drop": "customer"}, "wrong or missing claims"),
        ({"drop": "aud"}, "wrong or missing claims"),
        ({"aud": "other"}, "wrong audience"),
        ({"aud": []}, "wrong audience"),
        ({"aud": "SEATD"}, "wrong audience"),
        ({"exp": NOW_S - 30}, "expired"),
        ({"exp": -1}, "expired"),
        ({"exp": NOW_S + 100 * 365 * 86400}, "valid for too long"),
        ({"exp": 10**300}, "valid for too long"),
        ({"nbf": NOW_S + 31}, "not yet valid"),
        ({"iat": NOW_S + 31}, "not yet valid"),
        ({"products": "MOBILE"}, "wrong or missing claims"),
        ({"products": ["X"] * 65}, "wrong or missing claims"),
        ({"device": ["x" * 65]}, "wrong or missing claims"),
        ({"groups": [1]}, "wrong or missing claims"),
        ({"priority": 10}, "wrong or missing claims"),
        ({"priority": -1}, "wrong or missing claims"),
        ({"priority": 2.5}, "wrong or missing claims"),
        ({"priority": True}, "wrong or missing claims"),
        ({"role": {"admin": True}}, "wrong or missing claims"),
        ({"jti": "x" * 129}, "wrong or missing claims"),
        ({"customer": ""}, "customer id must have 1 to 64 characters"),
        ({"customer": "../acme"}, "customer id must have no / and not be . or .."),
        ({"sub": "alice"}, "user must be name@domain with exactly one @"),
        ({"sub": "@acme.example"}, "user must be name@domain with exactly one @"),
        ({"sub": "a@b@acme.example"}, "user must be name@domain with exactly one @"),
        ({"sub": "a" * 300 + "@acme.example"}, "user must have 1 to 254 characters"),
        ({"sub": "alice@acme/example"}, "domain must have no / and no @"),
        ({"sub": "al\x00ice@acme.example"}, "user must have no spaces, control or format characters"),
        ({"sub": "al\nice@acme.example"}, "user must have no spaces, control or format characters"),
        ({"sub": "al ice@acme.example"}, "user must have no spaces, control or format characters"),
        ({"sub": "al\u202eice@acme.example"}, "user must have no spaces, control or format characters"),
        ({"sub": "al\u200bice@acme.example"}, "user must have no spaces, control or format characters"),
    ],
)
async def test_claims_that_are_refused(claims: dict[str, Any], reason: str) -> None:
    assert await refusal(shared(), hs256(**claims)) == reason


@pytest.mark.parametrize("name", ["sub", "customer", "exp", "iss", "nbf", "iat"])
@pytest.mark.parametrize("value", [True, [], {}, "\ud800"])
async def test_claims_of_another_type(name: str, value: object) -> None:
    payload = json.dumps({**CLAIMS, name: value}).encode()
    assert await refusal(shared(), signed_bytes(payload)) == "wrong or missing claims"


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": NOW_S - 29},
        {"nbf": NOW_S + 30, "iat": NOW_S + 30},
        {"exp": NOW_S + 0.5},
        {"exp": NOW_S + 366 * 86400},
        {"aud": ["other", "seatd"]},
        {"priority": 9},
        {"unknown": {"deep": [1]}},
    ],
)
async def test_claims_at_the_edge_that_are_good(claims: dict[str, Any]) -> None:
    assert (await shared().check(hs256(**claims), NOW_S)).user == "alice@acme.example"


async def test_issuer() -> None:
    checker = shared(issuer="https://id.example")
    await checker.check(hs256(iss="https://id.example"), NOW_S)
    for claims in ({"iss": "https://id.example/"}, {}):
        assert await refusal(checker, hs256(**claims)) == "wrong issuer"


async def test_no_refusal_repeats_what_the_token_says() -> None:
    for claims in (
        {"aud": "hush"},
        {"iss": "hush"},
        {"customer": "/hush"},
        {"sub": "hush"},
        {"role": ["hush"]},
    ):
        assert "hush" not in await refusal(shared(issuer="x"), hs256(**claims))


@pytest.mark.parametrize(
    ("user", "canonical"),
    [
        ("a@B.example", "a@b.example"),
        ("A@b.example", "A@b.example"),
        ("e\u0301@x", "\u00e9@x"),
        ("a@e\u0301.X", "a@\u00e9.x"),
    ],
)
def test_one_form_of_a_name(user: str, canonical: str) -> None:
    assert canonical_user(user) == (canonical, canonical.partition("@")[2])


def test_no_form_of_a_bad_name() -> None:
    with pytest.raises(BadName):
        canonical_user("nobody")
