"""Tokens that are forged, stolen, too old, or meant for something else; and the URL that keys come from."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Iterator

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from seatd_protocol.messages import Refresh, Resume, Welcome
from tests.attacks.attack import attack, undefended
from tests.hub.token_factory import ED25519, P256, RSA, SECRET, b64, handmade, jwk, public_pem
from tests.scenarios.client import Client, Closed
from tests.scenarios.company import Company
from tests.servers import Server, Servers


@pytest.fixture(scope="session")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A node that takes tokens by a shared secret and by three public keys, of one issuer."""
    folder = tmp_path_factory.mktemp("keys")
    files = []
    for name, key in {"rsa": RSA, "ed": ED25519, "p256": P256}.items():
        (folder / f"{name}.pem").write_bytes(public_pem(key))
        files.append(str(folder / f"{name}.pem"))
    with Servers() as servers:
        yield servers.start("keyed", TOKENS_KEYS=",".join(files), TOKENS_ISSUER="https://id.example")


@pytest.fixture
async def office(keyed: Server) -> AsyncIterator[Company]:
    own = Company(keyed)
    await own.licensed("CALL_CENTER:competitive:5")
    yield own
    own.leave()


def claims(office: Company, **changes: object) -> dict[str, object]:
    body = {
        "sub": office.user("ann"),
        "customer": office.name,
        "aud": "seatd",
        "iss": "https://id.example",
        "exp": time.time() + 3600,
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


async def answer_to(office: Company, token: str) -> Client:
    """What a client is told that shows this token."""
    return await office.sign_in(office.nodes[0], "ann", "CALL_CENTER", token=token)


async def is_refused(office: Company, token: str) -> bool:
    """Whether the answer is 4401, and nothing of the token stands in the answer or in the log."""
    told = await answer_to(office, token)
    assert token not in office.nodes[0].log_file.read_text()
    return told.first == Closed(4401, "bad_token")


async def test_good_tokens_are_taken(office: Company) -> None:
    """Without which the refusals below would prove nothing."""
    for key, algorithm, kid in ((RSA, "RS256", "rsa"), (ED25519, "EdDSA", "ed"), (P256, "ES256", "p256")):
        good = jwt.encode(claims(office), key, algorithm, headers={"kid": kid})
        assert isinstance((await answer_to(office, good)).first, Welcome)
    assert isinstance((await answer_to(office, jwt.encode(claims(office), SECRET, "HS256"))).first, Welcome)


@attack(
    "S32",
    "a token without a signature: `alg` `none`, `None`, `nOnE`, empty, or none at all",
    "4401: the algorithm belongs to the key, a token cannot choose it",
)
@pytest.mark.parametrize("alg", ["none", "None", "nOnE", "NONE", "", None])
@pytest.mark.parametrize("signature", [b"", b"x" * 32])
async def test_s32_no_signature(office: Company, alg: str | None, signature: bytes) -> None:
    header = {"typ": "JWT"} | ({} if alg is None else {"alg": alg})
    assert await is_refused(office, handmade(header, json.dumps(claims(office)).encode(), signature))


@attack(
    "S33",
    "HS256 signed with the public key, which everybody knows",
    "4401: a key is used with its own algorithm only",
)
@pytest.mark.parametrize("kid", ["rsa", "ed", "p256", None])
async def test_s33_signed_with_a_public_key(office: Company, kid: str | None) -> None:
    for key in (RSA, ED25519, P256):
        raw = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        for secret in (public_pem(key), public_pem(key).strip(), raw):
            header = {"alg": "HS256", "typ": "JWT"} | ({"kid": kid} if kid else {})
            body = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims(office)).encode())}"
            seal = hmac.digest(secret, body.encode(), hashlib.sha256)
            assert await is_refused(office, f"{body}.{b64(seal)}")


@attack(
    "S34",
    "a `kid` with a path, SQL, an address or 10 kB; `jku`, `x5u`, `jwk`, `x5c`, `crit`, `b64` in the header",
    "4401: a `kid` is looked up as it is among the keys, nothing is fetched or opened for it, and keys never come with a "
    "token",
)
@pytest.mark.parametrize(
    "header",
    [
        {"kid": "../../../../dev/null"},
        {"kid": "rsa.pem"},
        {"kid": "' OR 1=1 --"},
        {"kid": "https://evil.example/key"},
        {"kid": "x" * 4000},
        {"kid": ["rsa"]},
        {"kid": {"$ne": ""}},
        {"kid": 7},
        {"kid": "rsa\0"},
        {"jwk": jwk(Ed25519PrivateKey.generate())},
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/cert"},
        {"x5c": ["AAAA"]},
        {"crit": ["exp"]},
        {"b64": False, "crit": ["b64"]},
        {"typ": "license+jwt"},
    ],
    ids=lambda header: "-".join(f"{name}={str(value)[:20]}" for name, value in header.items()),
)
async def test_s34_tricks_in_the_header(office: Company, header: dict[str, object]) -> None:
    mine = Ed25519PrivateKey.generate()
    shown = {"alg": "EdDSA", "typ": "JWT", **header}
    body = f"{b64(json.dumps(shown).encode())}.{b64(json.dumps(claims(office)).encode())}"
    assert await is_refused(office, f"{body}.{b64(mine.sign(body.encode()))}")


@attack("S34", "a good signature under a header that demands an extension", "4401")
@pytest.mark.parametrize("header", [{"crit": ["exp"]}, {"crit": []}, {"b64": False}, {"typ": "license+jwt"}])
async def test_s34_well_signed_extensions(office: Company, header: dict[str, object]) -> None:
    shown = {"alg": "EdDSA", "kid": "ed", **header}
    body = f"{b64(json.dumps(shown).encode())}.{b64(json.dumps(claims(office)).encode())}"
    assert await is_refused(office, f"{body}.{b64(ED25519.sign(body.encode()))}")


def wrong_claims() -> dict[str, dict[str, object]]:
    now_s = time.time()
    return {
        "no issuer": {"iss": None},
        "another issuer": {"iss": "https://evil.example"},
        "an issuer that begins alike": {"iss": "https://id.example.evil.io"},
        "no audience": {"aud": None},
        "another audience": {"aud": "another-service"},
        "an audience in upper case": {"aud": "SEATD"},
        "no end": {"exp": None},
        "over": {"exp": now_s - 40},
        "good for 100 years": {"exp": now_s + 100 * 365 * 86400},
        "an end that is no number": {"exp": "tomorrow"},
        "an end without end": {"exp": 1e308},
        "not yet": {"nbf": now_s + 90},
        "made in the future": {"iat": now_s + 90},
        "no user": {"sub": None},
        "no customer": {"customer": None},
        "a user without domain": {"sub": "ann"},
        "a customer with a line end": {"customer": "a\nb"},
    }


@attack(
    "S38",
    "a well-signed token with a wrong or missing `iss`, `aud`, `exp`, `sub`, `customer`; over, not yet valid, made in the "
    "future, good for 100 years",
    "4401; clocks may differ by 30 s (`tokens.leeway`), and no token may be good for more than 366 days",
)
@pytest.mark.parametrize("case", wrong_claims())
async def test_s38_wrong_claims(office: Company, case: str) -> None:
    token = jwt.encode(claims(office, **wrong_claims()[case]), ED25519, "EdDSA", headers={"kid": "ed"})
    assert await is_refused(office, token)


BRISK = {
    "SESSIONS_BEAT": "1s",
    "SESSIONS_LEASE": "3s",
    "SESSIONS_LINGER": "8s",
    "NODE_LEASE": "2s",
    "NODE_RENEW": "500ms",
    "TOKENS_LEEWAY": "0s",
}


@attack(
    "S39",
    "a session that outlives its token; a `refresh` with somebody else's",
    "`notice` `token_expiring` a minute before, then 4200 `token_expired`; another user's token is 4403, a bad one 4401",
)
async def test_s39_a_token_that_ends(servers: Servers) -> None:
    node = servers.start("brisk", **BRISK)
    company = Company(node)
    await company.licensed("CALL_CENTER:competitive:5")
    ann = await company.sign_in(node, "ann", "CALL_CENTER", token=company.token("ann", ttl_s=2))
    bob = await company.sign_in(node, "bob", "CALL_CENTER")
    cat = await company.sign_in(node, "cat", "CALL_CENTER")
    await bob.say(Refresh(token=company.token("ann")))
    await cat.say(Refresh(token="x.y.z"))
    assert await bob.closed() == 4403
    assert await cat.closed() == 4401
    assert await ann.closed() == 4200
    company.leave()


@attack(
    "S40",
    "a session's id with a guessed, cut, or another session's secret; the right one with another user's or customer's token",
    "answered like an id that nobody has; whose session it is learns nothing and keeps it. Secrets have 128 random bits, are "
    "compared as hashes, and only hashes are stored",
    left="a secret does not change when it is used: who has stolen it together with a token of the same user resumes the "
    "session. Its owner is then closed with 4301 and an administrator sees the other device",
)
async def test_s40_stolen_sessions(server: Server, company: Company) -> None:
    ann = await company.sign_in(server, "ann", "CALL_CENTER")
    bob = await company.sign_in(server, "bob", "CALL_CENTER")
    elsewhere = company.token("ann", customer="elsewhere")
    mine, theirs = ann.resume, bob.resume
    forged = [
        Resume(session=mine.session, secret="A" * len(mine.secret)),
        Resume(session=mine.session, secret=mine.secret[:-1]),
        Resume(session=mine.session, secret=mine.secret[:-1] + ("A" if mine.secret[-1] != "A" else "B")),
        Resume(session=mine.session, secret=theirs.secret),
        Resume(session=mine.session, secret=hashlib.sha256(mine.secret.encode()).hexdigest()[:32]),
        theirs,
        Resume(session="unknown", secret="unknown"),
    ]
    told = [await company.sign_in(server, "ann", device="d9", resume=shown) for shown in forged]
    told += [await company.sign_in(server, "eve", device="d9", resume=shown) for shown in (mine, theirs)]
    assert not any(client.welcome.resumed for client in told)
    foreign = await company.sign_in(server, "ann", "CALL_CENTER", token=elsewhere, resume=mine)
    assert foreign.denied.code == "not_licensed"
    assert ann.heard_nothing()
    assert bob.heard_nothing()
    assert (await company.sign_in(server, "ann", "CALL_CENTER", resume=mine)).welcome.resumed


@attack("S40", "the same after a forced logout or a `bye`", "the id is used up: a new session, or none")
async def test_s40_after_the_end(server: Server, company: Company) -> None:
    ann = await company.sign_in(server, "ann", "CALL_CENTER", acks=True)
    await server.call("POST", "/api/v1/logout", {"sessions": [ann.welcome.session], "cooldown_s": 0})
    bob = await company.sign_in(server, "bob", "CALL_CENTER")
    await bob.bye()
    for name, earlier in (("ann", ann), ("bob", bob)):
        again = await company.sign_in(server, name, "CALL_CENTER", resume=earlier.resume)
        assert not again.welcome.resumed


@attack(
    "S41",
    "a ticket that is forged, of another session, shown by another user or device, or of before a forced logout",
    "as if there were none: tickets are sealed with a key of the deployment (HMAC-SHA256), and count only while a store "
    "that has lost data is told again",
)
async def test_s41_tickets(server: Server, company: Company) -> None:
    ann = await company.sign_in(server, "ann", "CALL_CENTER")
    bob = await company.sign_in(server, "bob", "CALL_CENTER", acks=True)
    assert ann.welcome.ticket
    assert bob.welcome.ticket
    await server.call("POST", "/api/v1/logout", {"users": [company.user("bob")], "cooldown_s": 0})
    await bob.closed()
    invented = "new-session"
    shown = [
        ("ann", Resume(session=invented, secret="s", ticket=ann.welcome.ticket)),
        ("eve", Resume(session=ann.welcome.session, secret=ann.welcome.secret, ticket=ann.welcome.ticket)),
        ("ann", Resume(session=invented, secret="s", ticket=b64(b"\0" * 200))),
        ("ann", Resume(session=invented, secret="s", ticket="A")),
        ("bob", Resume(session=bob.welcome.session, secret=bob.welcome.secret, ticket=bob.welcome.ticket)),
    ]
    for name, resume in shown:
        client = await company.sign_in(server, name, device="d9", resume=resume)
        assert not client.welcome.resumed
        assert client.seats == ()
    assert ann.heard_nothing()


undefended(
    "S42",
    "a user who was disabled at the identity provider goes on with a token that is still good",
    "seatd does not ask the provider about each user. Give tokens short lives (clients `refresh` them), and have the "
    "provider's side call `POST /api/v1/logout` with a `cooldown_s` as long as the token lives: that takes effect on every "
    "node at once, and keeps the user out until then",
)
