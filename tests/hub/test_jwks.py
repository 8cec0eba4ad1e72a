"""Keys from a URL: whatever the provider or an attacker does, sign-ins go on or are refused, never blocked."""

from __future__ import annotations

import asyncio

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from seatd.hub.jwks import FRESH_S, KEEP_S, MAX_BYTES, RETRY_S, FetchFailed, Jwks, check_url, refused_address
from seatd.hub.token_keys import BadKey, jwk_set
from seatd.hub.tokens import BadToken, TokenChecker, TokenOptions
from tests.hub.token_factory import ED25519, NOW_S, P256, RSA, SECRET, jwk, jwks, signed

URL = "https://id.example/keys"


class Provider:
    """An identity provider's key URL, with a clock that only the test moves."""

    def __init__(self, *keys: dict[str, object]) -> None:
        self.now_s = 1000.0
        self.fetched = 0
        self.answer: bytes | Exception = jwks(*keys)
        self.open = asyncio.Event()
        self.open.set()

    async def fetch(self, url: str, max_bytes: int, timeout_s: float) -> bytes:
        assert (url, max_bytes) == (URL, MAX_BYTES)
        self.fetched += 1
        await self.open.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def jwks(self) -> Jwks:
        return Jwks(URL, self.fetch, clock=lambda: self.now_s)

    def checker(self) -> TokenChecker:
        return TokenChecker(
            TokenOptions(jwks_url=URL, hs256_secret=SECRET), self.fetch, clock=lambda: self.now_s
        )


async def kids(source: Jwks, kid: str | None = None) -> list[str | None]:
    return [key.kid for key in await source.find(kid)]


def token(kid: str = "k1") -> str:
    return signed(ED25519, "EdDSA", header={"kid": kid})


async def refusal(checker: TokenChecker, text: str) -> str:
    with pytest.raises(BadToken) as refused:
        await checker.check(text, NOW_S)
    return refused.value.reason


async def test_a_token_is_checked_with_a_key_from_the_url() -> None:
    provider = Provider(jwk(ED25519, "k1"), jwk(P256, "k2"), jwk(RSA, "k3"))
    checker = provider.checker()
    for key, algorithm, kid in ((ED25519, "EdDSA", "k1"), (P256, "ES256", "k2"), (RSA, "RS256", "k3")):
        await checker.check(signed(key, algorithm, header={"kid": kid}), NOW_S)
    await checker.check(signed(RSA, "RS256"), NOW_S)
    assert provider.fetched == 1


async def test_hs256_never_asks_the_url() -> None:
    provider = Provider()
    await provider.checker().check(signed(SECRET, "HS256"), NOW_S)
    assert (
        await refusal(provider.checker(), signed(SECRET, "HS256", header={"kid": "k1"})) == "unknown key id"
    )
    assert provider.fetched == 0


async def test_a_flood_of_unknown_kids_fetches_once_in_thirty_seconds() -> None:
    provider = Provider(jwk(ED25519, "k1"))
    checker = provider.checker()
    await asyncio.gather(*(refusal(checker, token(f"x{n}")) for n in range(50)))
    await checker.check(token(), NOW_S)
    assert provider.fetched == 1
    provider.now_s += RETRY_S - 1
    assert await refusal(checker, token("x")) == "unknown key id"
    assert provider.fetched == 1
    provider.now_s += 1
    await asyncio.gather(*(refusal(checker, token(f"y{n}")) for n in range(50)))
    assert provider.fetched == 2


async def test_rotation_overlap_and_removal() -> None:
    new = ed25519.Ed25519PrivateKey.generate()
    provider = Provider(jwk(ED25519, "k1"))
    checker = provider.checker()
    await checker.check(token(), NOW_S)
    provider.answer = jwks(jwk(ED25519, "k1"), jwk(new, "k2"))
    provider.now_s += RETRY_S
    await checker.check(signed(new, "EdDSA", header={"kid": "k2"}), NOW_S)
    await checker.check(token("k1"), NOW_S)
    provider.answer = jwks(jwk(new, "k2"))
    await checker.check(token("k1"), NOW_S)
    provider.now_s += FRESH_S
    assert await refusal(checker, token("k1")) == "unknown key id"


@pytest.mark.parametrize(
    "answer",
    [
        FetchFailed("status 500"),
        OSError("no route"),
        b"",
        b"<html>",
        b"[" * 100_000,
        b'{"keys":[]}',
        b'{"keys":5}',
        b"x" * (MAX_BYTES + 1),
    ],
)
async def test_the_last_good_set_serves_for_a_day(answer: bytes | Exception) -> None:
    provider = Provider(jwk(ED25519, "k1"))
    checker = provider.checker()
    await checker.check(token(), NOW_S)
    provider.answer = answer
    for _ in range(10):
        provider.now_s += KEEP_S / 10 - 1
        await checker.check(token(), NOW_S)
    provider.now_s += 10
    assert await refusal(checker, token()) == "unknown key id"
    provider.answer = jwks(jwk(ED25519, "k1"))
    provider.now_s += RETRY_S
    await checker.check(token(), NOW_S)


async def test_nobody_waits_for_a_url_that_is_known_to_be_down() -> None:
    provider = Provider(jwk(ED25519, "k1"))
    source = provider.jwks()
    assert await kids(source) == ["k1"]
    provider.answer = FetchFailed("down")
    provider.now_s += FRESH_S
    assert await kids(source) == ["k1"]
    provider.now_s += RETRY_S
    provider.open.clear()
    assert await kids(source) == ["k1"]
    await asyncio.sleep(0)
    assert provider.fetched == 3
    await source.close()


async def test_a_slow_url_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seatd.hub.jwks.TIMEOUT_S", 0.01)
    provider = Provider(jwk(ED25519, "k1"))
    provider.open.clear()
    assert await refusal(provider.checker(), token()) == "unknown key id"


async def test_a_caller_that_goes_away_does_not_end_the_fetch_of_the_others() -> None:
    provider = Provider(jwk(ED25519, "k1"))
    provider.open.clear()
    source = provider.jwks()
    first, second = (asyncio.create_task(kids(source, "k1")) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    provider.open.set()
    assert await second == ["k1"]
    assert provider.fetched == 1


async def test_close_ends_a_fetch_under_way() -> None:
    provider = Provider(jwk(ED25519, "k1"))
    provider.open.clear()
    checker = provider.checker()
    waiting = asyncio.create_task(checker.check(token(), NOW_S))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await checker.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_keys_of_other_types_and_uses_are_left_out() -> None:
    weak = rsa.generate_private_key(65537, 1024)
    other_curve = jwk(P256, "curve", crv="P-384")
    shown = [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "oct", "alg": "HS256"},
        {"kty": "OKP", "crv": "X25519", "x": "AA", "kid": "x"},
        {"kty": "OKP", "crv": "Ed25519", "x": "AA", "kid": "short"},
        {"kty": "EC", "crv": "P-256", "x": "AQ", "y": "AQ", "kid": "off the curve"},
        {"kty": "RSA", "kid": "empty"},
        {"kty": 5},
        "no key",
        other_curve,
        jwk(weak, "weak"),
        jwk(RSA, "enc", use="enc"),
        jwk(RSA, "ops", key_ops=["encrypt"]),
        jwk(RSA, "pss", alg="PS256"),
        jwk(RSA, "lie", alg="HS256"),
        jwk(RSA, "good", alg="RS256", use="sig", key_ops=["verify"], x5c=["AAAA"]),
    ]
    assert [(key.kid, key.algorithm) for key in jwk_set(jwks(*shown))] == [("good", "RS256")]  # type: ignore[arg-type]  # "no key"


def test_private_members_are_never_read() -> None:
    (key,) = jwk_set(jwks(jwk(ED25519, "k1", d="AAAA")))
    assert isinstance(key.key, ed25519.Ed25519PublicKey)


def test_a_set_of_two_keys_with_one_name_is_told_apart_by_type() -> None:
    assert {key.algorithm for key in jwk_set(jwks(jwk(ED25519, "k"), jwk(P256, "k")))} == {"EdDSA", "ES256"}


def test_no_more_than_a_hundred_keys_are_read() -> None:
    assert len(jwk_set(jwks(*[jwk(ED25519, "k")] * 150))) == 100


@pytest.mark.parametrize("document", [b"", b"[]", b'"keys"', b'{"keys":null}', b"[" * 50_000])
def test_no_jwk_set(document: bytes) -> None:
    with pytest.raises(BadKey, match="not a JWK set"):
        jwk_set(document)


@pytest.mark.parametrize(
    "url",
    [
        "https://id.example/keys",
        "https://10.0.0.5/keys",
        "http://127.0.0.1:9/k",
        "http://[::1]/k",
        "http://localhost/k",
    ],
)
def test_urls_that_keys_may_come_from(url: str) -> None:
    assert check_url(url) == url


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://id.example/keys", "must be https"),
        ("http://127.0.0.1.id.example/", "must be https"),
        ("http://localhost.id.example/", "must be https"),
        ("file:///etc/passwd", "needs a host"),
        ("ftp://id.example/keys", "must be https"),
        ("id.example/keys", "needs a host"),
        ("", "needs a host"),
        ("https://user:password@id.example/", "neither a user"),
        ("https://id.example/keys#x", "fragment"),
        ("https://169.254.169.254/latest/meta-data", "link-local or metadata"),
        ("https://[fe80::1]/", "link-local or metadata"),
        ("https://[::ffff:169.254.169.254]/", "link-local or metadata"),
        ("https://100.100.100.200/", "link-local or metadata"),
        ("https://[fd00:ec2::254]/", "link-local or metadata"),
        ("https://0.0.0.0/", "link-local or metadata"),
        ("http://169.254.169.254/", "must be https"),
    ],
)
def test_urls_that_keys_may_not_come_from(url: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        check_url(url)


@pytest.mark.parametrize("address", ["169.254.1.1", "fe80::1%eth0", "224.0.0.1", "::", "168.63.129.16"])
def test_refused_addresses(address: str) -> None:
    assert refused_address(address)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "93.184.216.34", "::1", "2606:2800::1"])
def test_allowed_addresses(address: str) -> None:
    assert not refused_address(address)


def test_an_elliptic_key_of_another_curve_has_no_algorithm() -> None:
    shown = jwk(ec.generate_private_key(ec.SECP256K1()), "k", crv="secp256k1")
    assert jwk_set(jwks(shown)) == ()
