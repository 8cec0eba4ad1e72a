"""Client tokens: good ones become an identity; keys, algorithms, headers, and what is no token at all."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from seatd.hub.tokens import MAX_TOKEN, BadToken, Identity, TokenChecker, TokenOptions
from tests.hub.token_checking import hs256, refusal, shared, signed_bytes, with_keys
from tests.hub.token_factory import (
    ALGORITHMS,
    CLAIMS,
    ED25519,
    NOW_S,
    P256,
    RSA,
    SECRET,
    Private,
    b64,
    handmade,
    jwk,
    jwks,
    private_pem,
    public_pem,
    signed,
)


async def test_the_whole_identity() -> None:
    token = hs256(
        sub="ali\u0301ce@Acme.Example",
        jti="t-1",
        products=["MOBILE"],
        device="mobile",
        role="agent",
        groups=["north"],
        priority=3,
        nbf=NOW_S,
        iat=NOW_S,
    )
    assert await shared().check(token, NOW_S) == Identity(
        user="al\u00edce@acme.example",
        domain="acme.example",
        customer="acme",
        expires_s=NOW_S + 3600,
        token_id="t-1",
        products=frozenset({"MOBILE"}),
        devices=frozenset({"mobile"}),
        role="agent",
        groups=frozenset({"north"}),
        priority=3,
    )


async def test_what_a_token_does_not_say_is_not_restricted() -> None:
    found = await shared().check(hs256(), NOW_S)
    assert (found.products, found.devices, found.token_id, found.priority) == (None, None, None, 0)


async def test_restrictions_may_be_empty() -> None:
    found = await shared().check(hs256(products=[], device=[]), NOW_S)
    assert (found.products, found.devices) == (frozenset(), frozenset())


async def test_now_is_the_machines_clock_unless_passed_in() -> None:
    with pytest.raises(BadToken, match="expired"):
        await shared().check(hs256(exp=1_600_000_000))


@pytest.mark.parametrize(("algorithm", "key"), ALGORITHMS.items())
async def test_public_keys(tmp_path: Path, algorithm: str, key: Private) -> None:
    checker = with_keys(tmp_path, first=ED25519, second=P256, third=RSA)
    kid = {"EdDSA": "first", "ES256": "second", "RS256": "third"}[algorithm]
    for header in ({"kid": kid}, None):
        assert (await checker.check(signed(key, algorithm, header=header), NOW_S)).customer == "acme"


async def test_a_private_key_file_serves_by_its_public_half(tmp_path: Path) -> None:
    path = tmp_path / "issuer.pem"
    path.write_bytes(private_pem(ED25519))
    checker = TokenChecker(TokenOptions(keys=(path,)))
    assert (await checker.check(signed(ED25519, "EdDSA"), NOW_S)).domain == "acme.example"


@pytest.mark.parametrize(
    "document", [jwks(jwk(P256, "k1"), jwk(ED25519, "k2")), json.dumps(jwk(P256, "k1")).encode()]
)
async def test_jwk_files(tmp_path: Path, document: bytes) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(document)
    checker = TokenChecker(TokenOptions(keys=(path,)))
    await checker.check(signed(P256, "ES256", header={"kid": "k1"}), NOW_S)
    assert await refusal(checker, signed(P256, "ES256", header={"kid": "keys"})) == "unknown key id"


async def test_without_keys_every_token_is_refused_and_says_so() -> None:
    checker = TokenChecker(TokenOptions())
    assert not checker.configured
    assert await refusal(checker, hs256()) == "no token keys are configured on this server"


async def test_without_kid_exactly_one_key_must_fit(tmp_path: Path) -> None:
    other = ed25519.Ed25519PrivateKey.generate()
    checker = with_keys(tmp_path, old=ED25519, new=other)
    assert await refusal(checker, signed(other, "EdDSA")) == "no single key fits"
    for kid, key in (("old", ED25519), ("new", other)):
        await checker.check(signed(key, "EdDSA", header={"kid": kid}), NOW_S)
    assert await refusal(checker, signed(other, "EdDSA", header={"kid": "old"})) == "wrong signature"


@pytest.mark.parametrize(
    "name", ["none", "None", "nOnE", "", "HS512", "PS256", "RS512", "EdDSA ", "../HS256"]
)
async def test_algorithms_outside_the_list(name: str) -> None:
    token = handmade({"alg": name}, json.dumps(CLAIMS).encode())
    assert await refusal(shared(), token) == "algorithm not allowed"


@pytest.mark.parametrize("kid", [None, "rsa", "ed"])
async def test_hs256_signed_with_a_public_key(tmp_path: Path, kid: str | None) -> None:
    checker = with_keys(tmp_path, rsa=RSA, ed=ED25519)
    header = {"alg": "HS256"} | ({"kid": kid} if kid else {})
    token = handmade(header, json.dumps(CLAIMS).encode())
    for key in (public_pem(RSA), public_pem(ED25519)):
        signing = token.rpartition(".")[0]
        forged = signing + "." + b64(hmac.new(key, signing.encode(), hashlib.sha256).digest())
        assert await refusal(checker, forged) == ("unknown key id" if kid else "no single key fits")


async def test_a_key_is_used_with_its_own_algorithm_only(tmp_path: Path) -> None:
    checker = with_keys(tmp_path, ec=P256, rsa=RSA)
    assert await refusal(checker, signed(RSA, "RS256", header={"kid": "ec"})) == "unknown key id"


@pytest.mark.parametrize(
    "kid",
    [
        "other",
        "",
        "../../etc/passwd",
        "/dev/null",
        "first.pem",
        "FIRST",
        "first\x00",
        "' OR 1=1 --",
        "http://x/",
        "x" * 4000,
    ],
)
async def test_kid_is_only_an_exact_name(tmp_path: Path, kid: str) -> None:
    checker = with_keys(tmp_path, first=ED25519)
    assert await refusal(checker, signed(ED25519, "EdDSA", header={"kid": kid})) == "unknown key id"


async def test_keys_that_come_with_the_token_are_not_looked_at(tmp_path: Path) -> None:
    mine = ed25519.Ed25519PrivateKey.generate()
    header = {
        "jwk": jwk(mine),
        "jku": "https://evil.example/k",
        "x5u": "https://evil.example/c",
        "x5c": ["AAAA"],
    }
    checker = with_keys(tmp_path, first=ED25519)
    assert await refusal(checker, signed(mine, "EdDSA", header=header)) == "wrong signature"
    await checker.check(signed(ED25519, "EdDSA", header=header), NOW_S)


@pytest.mark.parametrize("header", [{"crit": ["exp"]}, {"crit": []}, {"crit": None}, {"b64": True}])
async def test_critical_headers(header: dict[str, Any]) -> None:
    token = handmade({"alg": "HS256", **header}, json.dumps(CLAIMS).encode(), b"x")
    assert await refusal(shared(), token) in ("critical header not supported", "not a JWT")


@pytest.mark.parametrize(
    ("typ", "good"), [("JWT", True), ("at+jwt", True), ("jwt", True), ("seatd-license+jwt", False)]
)
async def test_a_token_made_for_something_else(typ: str, good: bool) -> None:
    token = hs256(header={"typ": typ})
    if good:
        await shared().check(token, NOW_S)
    else:
        assert await refusal(shared(), token) == "wrong type of token"


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "x.y.z",
        "a.b",
        "a.b.c.d",
        handmade({}, b"{}"),
        handmade({"alg": 5}, b"{}"),
        handmade({"alg": "HS256", "kid": 5}, b"{}"),
        b64(b"[]") + ".e30.AA",
        b64(b"\xff\xfe") + ".e30.AA",
        b64(b"[" * 4000) + ".e30.AA",
        b64(b'{"alg":"HS256"') + ".e30.AA",
        hs256() + "=",
        hs256() + "\n",
        " " + hs256(),
        hs256().replace(".", ".!", 1),
        "\u00e9.e30.AA",
        "\ud800",
    ],
)
async def test_not_a_jwt(token: str) -> None:
    assert await refusal(shared(), token) in ("not a JWT", "wrong signature")


async def test_oversize() -> None:
    for token in ("x" * (MAX_TOKEN + 1), hs256(extra="x" * MAX_TOKEN)):
        assert await refusal(shared(), token) == "too long"


async def test_every_altered_part_is_noticed() -> None:
    token = hs256()
    for place in range(0, len(token), 7):
        if token[place] != ".":
            altered = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
            with pytest.raises(BadToken):
                await shared().check(altered, NOW_S)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"null",
        b"\xff",
        b'{"exp":NaN}',
        b'{"x":' + b"[" * 4000,
        json.dumps(CLAIMS).encode() + b"{}",
    ],
)
async def test_well_signed_nonsense(payload: bytes) -> None:
    assert await refusal(shared(), signed_bytes(payload)) == "wrong or missing claims"


def test_a_url_needs_a_way_to_fetch_it() -> None:
    with pytest.raises(ValueError, match="a way to fetch"):
        TokenChecker(TokenOptions(jwks_url="https://id.example/keys"))


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    assert SECRET not in repr(TokenOptions(hs256_secret=SECRET))
    assert SECRET not in repr(vars(shared()))
