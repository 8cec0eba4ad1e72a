"""Signs client tokens the way an identity provider does, and the ways an attacker would."""

from __future__ import annotations

import base64
import json
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.canary.marks import mark

NOW_S = 1_800_000_000
SECRET = "a shared secret of at least 32 bytes"
mark("shared secret of client tokens", SECRET)
CLAIMS = {"sub": "alice@acme.example", "customer": "acme", "aud": "seatd", "exp": NOW_S + 3600}

Private = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

ED25519 = ed25519.Ed25519PrivateKey.generate()
P256 = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(65537, 2048)
ALGORITHMS = {"EdDSA": ED25519, "ES256": P256, "RS256": RSA}


def signed(
    key: Private | str, algorithm: str, *, drop: str = "", header: dict[str, Any] | None = None, **claims: Any
) -> str:
    """A token with CLAIMS, changed by `claims`, without the claim `drop`."""
    body = {name: value for name, value in {**CLAIMS, **claims}.items() if name != drop}
    return jwt.encode(body, key, algorithm, headers=header)


def handmade(header: dict[str, Any], payload: bytes, signature: bytes = b"") -> str:
    """A token that no library would write."""
    return ".".join(map(b64, (json.dumps(header).encode(), payload, signature)))


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def public_pem(key: Private) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def private_pem(key: Private) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def jwk(key: Private, kid: str | None = None, **members: Any) -> dict[str, Any]:
    """The public key as an identity provider shows it."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        shown: dict[str, Any] = {"kty": "OKP", "crv": "Ed25519", "x": b64(raw)}
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        point = key.public_key().public_numbers()
        shown = {"kty": "EC", "crv": "P-256", "x": b64(point.x.to_bytes(32)), "y": b64(point.y.to_bytes(32))}
    else:
        numbers = key.public_key().public_numbers()
        shown = {"kty": "RSA", "e": "AQAB", "n": b64(numbers.n.to_bytes(key.key_size // 8))}
    return {**shown, **({"kid": kid} if kid else {}), **members}


def jwks(*keys: dict[str, Any]) -> bytes:
    return json.dumps({"keys": keys}).encode()
