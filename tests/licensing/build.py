"""Claims and keys for the tests: a good key, and ways to bend it."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from seatd.licensing import compact
from seatd.licensing.catalog import Catalog
from seatd.licensing.keys import ALG, TYP, Fault, TrustStore, fingerprint, verify
from seatd.licensing.keys import BadLicenseKey as BadLicenseKey

NOW_MS = 1_790_000_000_000
CATALOG = Catalog.load()
VENDOR = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
TRUST = TrustStore([VENDOR.public_key()])

GOOD: dict[str, Any] = {
    "iss": "vendor",
    "jti": "key-1",
    "iat": NOW_MS // 1000,
    "customer": {"id": "acme", "name": "Acme Ltd", "agency": "wholesale", "external_id": "X-1"},
    "domains": ["acme.example", "acme.test"],
    "licenses": [
        {
            "id": "cc-1",
            "product": "CALL_CENTER",
            "kind": "competitive",
            "limit": 25,
            "valid_from": "2026-01-01T00:00:00Z",
            "valid_till": "2027-01-01T00:00:00Z",
            "name": "order 7",
            "tier": "gold",
            "overdraft": 2,
            "policy": {"on_expiry": "after_call", "colour": "blue"},
        },
        {
            "id": "mail-1",
            "product": "EMAIL",
            "kind": "nominal",
            "limit": 10,
            "valid_from": "2026-01-01T00:00:00Z",
            "valid_till": "2027-01-01T00:00:00Z",
        },
    ],
}
ABSENT = object()


def bent(path: str, value: object) -> dict[str, Any]:
    """The good claims with one place changed; `path` like `licenses.0.limit`. ABSENT takes it away."""
    claims = copy.deepcopy(GOOD)
    *parents, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    place: Any = claims
    for step in parents:
        place = place[step]
    if value is ABSENT:
        del place[last]
    else:
        place[last] = value
    return claims


def signed(
    payload: bytes, header: Mapping[str, object] | None = None, *, key: Ed25519PrivateKey = VENDOR
) -> str:
    """A key over any payload and header at all, properly signed: what only a careless vendor would make."""
    head = {"alg": ALG, "typ": TYP, "kid": fingerprint(key.public_key())} | dict(header or {})
    text = compact.join({name: value for name, value in head.items() if value is not None}, payload)
    return f"{text}.{compact.encode(key.sign(text.encode()))}"


def careless(claims: object) -> str:
    """A key over these claims, signed without any check."""
    return signed(json.dumps(claims).encode())


def faults(text: str, trust: TrustStore = TRUST) -> list[tuple[str, str]]:
    """The code and path of everything that `verify` has against a key; empty: it holds."""
    return [(fault.code, fault.path) for fault in all_faults(text, trust)]


def all_faults(text: str, trust: TrustStore = TRUST) -> tuple[Fault, ...]:
    try:
        verify(text, trust, CATALOG, now_ms=NOW_MS)
    except BadLicenseKey as error:
        return error.faults
    return ()
