"""License keys that are altered, forged, odd, old, or somebody else's, put into a running server."""

from __future__ import annotations

import base64
import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from seatd.licensing import compact
from seatd.licensing.keys import fingerprint, public_pem, sign
from seatd.licensing.points import ORDER
from tests.attacks.attack import attack, undefended
from tests.attacks.operators import Operator
from tests.licensing.build import ABSENT, GOOD, STRANGER, VENDOR, bent, careless, signed
from tests.licensing.test_trust import SMALL
from tests.scenarios.company import Company
from tests.servers import Servers

CLAIMS: dict[str, Any] = {
    **GOOD,
    "customer": {"id": "victim"},
    "domains": ["victim.example"],
    "licenses": GOOD["licenses"][:1],
}
KEY = sign(CLAIMS, VENDOR)


async def fault(operator: Operator, key: str) -> str:
    """Why the server refuses a key; "" when it takes it."""
    reply = await operator.call("POST", "/licenses", {"key": key})
    if reply.status == 200:
        return ""
    assert reply.refusal == (422, "invalid_license_key"), reply.text
    codes = {error["message"].rpartition("(")[2].rstrip(")") for error in reply.json["errors"]}
    return " ".join(sorted(codes))


async def nothing_came_in(operator: Operator) -> bool:
    """Whether the customer of these keys is not there."""
    return (await operator.call("GET", "/customers/victim")).refusal == (404, "unknown_customer")


@attack(
    "S63",
    "a key with flipped bits, cut off, with more bytes, with parts of another key, of another type or version",
    "422 `invalid_license_key`; the signature is over the very bytes that are read, type and algorithm included; nothing of a "
    "refused key is kept",
)
async def test_s63_altered_keys(operator: Operator) -> None:
    dice, parts = random.Random(63), KEY.split(".")
    other = careless({**CLAIMS, "customer": {"id": "another"}}).split(".")
    altered = [KEY[:-1], KEY[: len(KEY) // 2], KEY + "A", KEY + ".AAAA", parts[0] + "." + parts[1] + "."]
    altered += [".".join([parts[0], other[1], parts[2]]), ".".join([parts[0], parts[1], other[2]])]
    altered += [
        signed(json.dumps(CLAIMS).encode(), {"typ": typ}) for typ in ("JWT", "seatd-license+jwt;v=2", None)
    ]
    altered += [signed(json.dumps(CLAIMS).encode(), {"alg": alg}) for alg in ("none", "HS256", "eddsa")]
    for _ in range(40):
        at = dice.choice([place for place, letter in enumerate(KEY) if letter != "."])
        altered.append(KEY[:at] + chr(ord(KEY[at]) ^ 1 << dice.randrange(7)) + KEY[at + 1 :])
    for key in altered:
        if "".join(key.split()) != KEY:
            assert await fault(operator, key)
    assert await nothing_came_in(operator)


@attack(
    "S64",
    "the same key with another signature that fits it, too (S + L)",
    "422 `bad_signature`",
)
async def test_s64_a_malleable_signature(operator: Operator) -> None:
    head, _, signature = KEY.rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    twin = raw[:32] + (int.from_bytes(raw[32:], "little") + ORDER).to_bytes(32, "little")
    assert await fault(operator, f"{head}.{compact.encode(twin)}") == "bad_signature"


@attack(
    "S65",
    "a vendor key that is a point of small order: R = identity, S = 0 then fits every license",
    "the server does not start with such a trust anchor, nor with one that is not in its canonical form",
)
def test_s65_a_weak_trust_anchor(servers: Servers, tmp_path: Path) -> None:
    nodes = []
    for number, point in enumerate((SMALL["order 1"], SMALL["order 8"])):
        weak = Ed25519PublicKey.from_public_bytes(bytes.fromhex(point))
        (tmp_path / f"{number}.pem").write_bytes(public_pem(weak))
        nodes.append(servers.launch(f"n{number}", LICENSES_TRUST=str(tmp_path / f"{number}.pem")))
    for node in nodes:
        assert node.process.wait(60) != 0
        assert "the public key is unsafe: a point of small order" in node.said


@attack(
    "S65",
    "a license that is signed so, on a server with an honest vendor key",
    "422 `unknown_kid` or `bad_signature`",
)
@pytest.mark.parametrize("name", SMALL)
async def test_s65_a_signature_for_everything(operator: Operator, name: str) -> None:
    weak = Ed25519PublicKey.from_public_bytes(bytes.fromhex(SMALL[name]))
    everything = compact.encode(bytes.fromhex(SMALL["order 1"]) + bytes(32))
    for kid in (fingerprint(weak), fingerprint(VENDOR.public_key())):
        head = signed(json.dumps(CLAIMS).encode(), {"kid": kid}).rpartition(".")[0]
        assert await fault(operator, f"{head}.{everything}") in ("unknown_kid", "bad_signature")


@attack(
    "S66",
    "the same key in other spellings: padding, the other base64 alphabet, loose bits; a field twice, NaN, lone surrogates, "
    "trailing bytes in its JSON",
    "422: base64 must encode back to itself, JSON may name no field twice and hold nothing that would be lost. (White space, "
    "quotes and armour of a pasted key are taken off first)",
)
async def test_s66_other_spellings(operator: Operator) -> None:
    head, payload, signature = KEY.split(".")
    loose = signature[:-1] + chr(ord(signature[-1]) + 1)
    for key in (
        f"{head}.{payload}=.{signature}",
        f"{head}.{payload}.{signature}==",
        f"{head}.{payload}.{loose}",
    ):
        assert "non_canonical_base64" in await fault(operator, key)
    good = json.dumps(CLAIMS)
    odd = {
        good[:-1] + ',"jti":"another"}': "duplicate_json_key",
        good.replace('"limit": 25', '"limit": 25, "limit": 9999'): "duplicate_json_key",
        good.replace('"limit": 25', '"limit": NaN'): "not_json",
        good.replace("order 7", "\\ud800"): "not_json",
        good + " {}": "not_json",
        "[" + good + "]": "not_json",
    }
    for text, code in odd.items():
        assert await fault(operator, signed(text.encode())) == code
    assert await nothing_came_in(operator)


@attack(
    "S67",
    "a key that is signed by somebody else, or by a vendor key that has been retired or stolen",
    "422 `unknown_kid`: only keys of `licenses.trust` count, each by its fingerprint; take a key out of that list and "
    "restart, and nothing that it signs is accepted any more",
    left="licenses that it has signed before stay until they end or are withdrawn (`DELETE /api/v1/licenses/ID`); there is "
    "no list of revoked keys in the releases: whom to trust is the operator's own list",
)
async def test_s67_rotation(operator: Operator, servers: Servers, tmp_path: Path) -> None:
    assert await fault(operator, sign(CLAIMS, STRANGER)) == "unknown_kid"
    both = tmp_path / "both.pem"
    both.write_bytes(public_pem(VENDOR.public_key()) + public_pem(STRANGER.public_key()))
    rotating = Operator(servers.start("rotating", LICENSES_TRUST=str(both)))
    assert await fault(rotating, sign({**CLAIMS, "jti": "old", "iat": CLAIMS["iat"] - 1}, VENDOR)) == ""
    assert await fault(rotating, sign(CLAIMS, STRANGER)) == ""


@attack(
    "S67",
    "an older key again, to have back what a newer one has taken away",
    "409 `older_key`: a key counts only when it was issued later than what is there",
)
async def test_s67_an_older_key(operator: Operator, company: Company) -> None:
    def key(number: int, limit: int) -> str:
        claims = copy.deepcopy(CLAIMS)
        claims |= {"customer": {"id": company.name}, "domains": [company.domain], "jti": f"k{number}"}
        claims |= {"iat": 1_700_000_100 + number}
        claims["licenses"][0] |= {"id": f"{company.name}-x", "limit": limit}
        return sign(claims, VENDOR)

    older, newer = key(1, 50), key(2, 3)
    assert (await operator.call("POST", "/licenses", {"key": older})).status == 200
    assert (await operator.call("POST", "/licenses", {"key": newer})).status == 200
    assert (await operator.call("POST", "/licenses", {"key": older})).refusal == (409, "older_key")
    rows = {row["id"]: row["limit"] for row in await company.rows()}
    assert rows[f"{company.name}-x"] == 3


undefended(
    "S68",
    "the clock is set back, or an old image of the machine restored, so that a license that has ended is good again",
    "a license ends by the store's calendar, and whoever runs the store sets its clock. What is recorded (seats, ends of "
    "sessions) goes by a clock of its own that never runs back; `seatd doctor` and the log tell clocks that differ. To "
    "hold a customer to an end date against his own clock needs something outside his reach: sell shorter licenses and "
    "renew them",
)
undefended(
    "S69",
    "one license key is imported into two installations, each of which grants the full limit",
    "nothing in an offline key ties it to one installation. The vendor sees it where both report usage; otherwise only a "
    "contract forbids it",
)

ODD_CLAIMS = [
    ("licenses.0.product", "TELEPATHY", "product_unknown"),
    ("licenses.0.limit", 0, "limit_not_positive"),
    ("licenses.0.limit", -1, "limit_not_positive"),
    ("licenses.0.limit", 2**63, "limit_not_positive"),
    ("licenses.0.limit", 1e300, "limit_not_positive"),
    ("licenses.0.limit", True, "limit_not_positive"),
    ("licenses.0.valid_till", "2025-01-01T00:00:00Z", "from_not_before_till"),
    ("licenses.0.valid_till", "9999-99-99T00:00:00Z", "bad_time"),
    ("licenses.0.overdraft", -5, "overdraft_negative"),
    ("licenses.0.kind", "both", "kind_not_allowed"),
    ("customer.id", "a\nb", "bad_name"),
    ("domains", [], ""),
    ("jti", ABSENT, "missing"),
]


@attack(
    "S70",
    "a well-signed key that makes no sense: an unknown product, no seats, negative or 2^63 of them, an end before the "
    "beginning",
    "422 with the place of each fault: what a vendor has signed is checked all the same",
)
@pytest.mark.parametrize(("path", "value", "code"), ODD_CLAIMS)
async def test_s70_keys_without_sense(operator: Operator, path: str, value: object, code: str) -> None:
    told = await fault(operator, careless(bent(path, value)))
    assert told
    assert code in told


@attack(
    "S70",
    "a key that names another customer's license or domain",
    "409 `other_customer`, `domain_taken`: nothing is moved",
)
async def test_s70_anothers_license(operator: Operator, company: Company, server: Any) -> None:
    other = Company(server)
    (mine,) = await company.licensed("CALL_CENTER:competitive:5")

    async def refusal(**changes: Any) -> tuple[int, str]:
        claims = copy.deepcopy(CLAIMS) | {"customer": {"id": other.name}, "domains": [other.domain]}
        claims["licenses"][0] |= {"id": f"{other.name}-1"}
        claims["licenses"][0] |= changes.pop("license", {})
        key = sign({**claims, **changes}, VENDOR)
        return (await operator.call("POST", "/licenses", {"key": key})).refusal

    assert await refusal(license={"id": mine}) == (409, "other_customer")
    assert await refusal(domains=[company.domain]) == (409, "domain_taken")
    assert {row["id"] for row in await company.rows()} >= {mine}
