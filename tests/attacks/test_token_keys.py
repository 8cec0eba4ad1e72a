"""Where the keys come from that tokens are checked with: a URL that is flooded, rotates, leads astray; weak keys."""

from __future__ import annotations

import json
import time
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from seatd.hub.jwks import FRESH_S, KEEP_S, RETRY_S, FetchFailed
from seatd.hub.tokens import BadToken, TokenChecker, TokenOptions
from seatd.web.fetch import fetch
from seatd_protocol.messages import Welcome
from tests.attacks.attack import attack
from tests.attacks.provider import Provider
from tests.attacks.test_tokens import answer_to, claims
from tests.hub.token_factory import ED25519, b64, jwk, jwks
from tests.licensing.test_trust import SMALL
from tests.scenarios.client import Closed
from tests.scenarios.company import Company
from tests.servers import Servers


def token_of(company: Company, key: Ed25519PrivateKey, kid: str) -> str:
    return jwt.encode(claims(company, iss=None), key, "EdDSA", headers={"kid": kid})


@attack(
    "S35",
    "hundreds of tokens with key ids that nobody knows, so that the provider is asked for each",
    "4401 each, and at most one fetch in 30 s; who has a good token is let in meanwhile",
)
async def test_s35_a_flood_of_unknown_key_ids(servers: Servers) -> None:
    with Provider(jwks(jwk(ED25519, "k1"))) as provider:
        node = servers.start("a", TOKENS_JWKS_URL=provider.url)
        company = Company(node)
        await company.licensed("CALL_CENTER:competitive:5")
        for number in range(100):
            forged = await answer_to(company, token_of(company, Ed25519PrivateKey.generate(), f"k{number}x"))
            assert forged.first == Closed(4401, "bad_token")
        assert provider.fetched == 1
        assert isinstance((await answer_to(company, token_of(company, ED25519, "k1"))).first, Welcome)
        assert provider.fetched == 1
        company.leave()


@attack(
    "S36",
    "keys that rotate: two at once, one taken away, a provider that is down or suddenly has none",
    f"both count while both are there; one taken away is refused within {FRESH_S:.0f} s; a provider that is down or has "
    f"none costs nobody a sign-in for {KEEP_S / 3600:.0f} hours",
)
async def test_s36_rotation() -> None:
    """(The fetch is a real one; only the clock is the test's.)"""
    new, now = Ed25519PrivateKey.generate(), [1000.0]
    with Provider(jwks(jwk(ED25519, "old"), jwk(new, "new"))) as provider:
        checker = TokenChecker(TokenOptions(jwks_url=provider.url), fetch, clock=lambda: now[0])

        async def is_good(key: Ed25519PrivateKey, kid: str) -> bool:
            try:
                body = {"sub": "ann@a.example", "customer": "a", "aud": "seatd", "exp": time.time() + 60}
                await checker.check(jwt.encode(body, key, "EdDSA", headers={"kid": kid}))
            except BadToken:
                return False
            return True

        assert await is_good(ED25519, "old")
        assert await is_good(new, "new")
        provider.body = jwks(jwk(new, "new"))
        now[0] += FRESH_S
        assert not await is_good(ED25519, "old")
        assert await is_good(new, "new")
        provider.body = jwks()
        now[0] += FRESH_S
        assert await is_good(new, "new")
        provider.stop()
        now[0] += KEEP_S - 2 * FRESH_S
        assert await is_good(new, "new")
        now[0] += FRESH_S + RETRY_S
        assert not await is_good(new, "new")
        await checker.close()


@attack(
    "S37",
    "a JWKS URL that leads to a metadata service or over plain http; one that redirects there, or sends 50 MB",
    "the server does not start with such a URL; no redirect is followed; no more than 256 KiB are read, for 5 s",
)
def test_s37_a_url_that_leads_inside(servers: Servers) -> None:
    urls = [
        "http://169.254.169.254/latest/keys",
        "https://169.254.169.254/keys",
        "https://[fd00:ec2::254]/keys",
        "https://[::ffff:169.254.169.254]/keys",
        "http://id.example/keys",
        "file:///etc/passwd",
        "https://user:pw@id.example/keys",
    ]
    nodes = [servers.launch(f"n{number}", TOKENS_JWKS_URL=url) for number, url in enumerate(urls)]
    for node in nodes:
        assert node.process.wait(60) != 0
        assert "JWKS" in node.said or "jwks_url" in node.said
        assert "pw@" not in node.said


@attack(
    "S37", "a redirect, and 50 MB", "4401 for the token, and the provider behind the redirect is never asked"
)
async def test_s37_redirects_and_floods() -> None:
    with (
        Provider(b"x" * 50_000_000) as large,
        Provider() as redirecting,
        Provider(jwks(jwk(ED25519, "k1"))) as inside,
    ):
        redirecting.status, redirecting.headers = 302, {"Location": inside.url}
        with pytest.raises(FetchFailed, match="status 302"):
            await fetch(redirecting.url, 1000, 5)
        with pytest.raises(FetchFailed, match="more than 262144 bytes"):
            await fetch(large.url, 262144, 5)
        assert inside.fetched == 0


@attack(
    "S65",
    "a token key that is a point of small order, for which one signature fits every token",
    "not a key: the server does not start with such a file, and of a key set it is left out",
)
def test_s65_a_weak_token_key(servers: Servers, tmp_path: Path) -> None:
    nodes = []
    for number, point in enumerate((SMALL["order 1"], SMALL["order 8"])):
        file = tmp_path / f"{number}.json"
        file.write_text(json.dumps({"kty": "OKP", "crv": "Ed25519", "x": b64(bytes.fromhex(point))}))
        nodes.append(servers.launch(f"n{number}", TOKENS_KEYS=str(file)))
    for node in nodes:
        assert node.process.wait(60) != 0
        assert "no Ed25519, P-256 or RSA key in it" in node.said
