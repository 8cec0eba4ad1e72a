"""The keys that client tokens are checked with: one key, one algorithm, decided when the key is read.

A token's header never chooses how it is verified; it may only name a key. That closes the classic
confusions (`alg: none`, HS256 signed with a public key) by construction.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from jwt.algorithms import HMACAlgorithm
from jwt.exceptions import InvalidKeyError

from seatd.licensing.points import weakness

Algorithm = Literal["EdDSA", "ES256", "RS256", "HS256"]
PublicKey = ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey

RSA_BITS = (2048, 8192)  # below is weak (RFC 7518 3.3); above costs milliseconds per token
HS256_MIN_BYTES = 32  # RFC 7518 3.2: at least the size of the hash
JWKS_MAX_KEYS = 100


class BadKey(ValueError):
    """A key that no token may be checked with; the text says why and never holds key material."""


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A key with the only algorithm it is used for. `kid` None: reachable only by tokens that name no key."""

    kid: str | None
    algorithm: Algorithm
    key: PublicKey | bytes = field(repr=False)


class _Jwk(msgspec.Struct):
    """The members of a JSON Web Key (RFC 7517) that matter here; private members are never read."""

    kty: str
    kid: str | None = None
    alg: str | None = None
    use: str | None = None
    key_ops: tuple[str, ...] | None = None
    crv: str = ""
    x: str = ""
    y: str = ""
    n: str = ""
    e: str = ""


class _JwkSet(msgspec.Struct):
    keys: tuple[msgspec.Raw, ...]


def shared_secret(secret: str) -> TokenKey:
    """The HS256 key. `BadKey` when the secret is shorter than 32 bytes, or no secret: a public key or certificate."""
    key = secret.encode()
    if len(key) < HS256_MIN_BYTES:
        raise BadKey(f"the HS256 secret has {len(key)} bytes; at least {HS256_MIN_BYTES} are needed")
    try:
        HMACAlgorithm(HMACAlgorithm.SHA256).prepare_key(key)
    except InvalidKeyError:
        raise BadKey(
            "the HS256 secret is a key or certificate of another kind, which others may know"
        ) from None
    return TokenKey(None, "HS256", key)


def key_file(path: Path) -> tuple[TokenKey, ...]:
    """Keys of one file: a PEM key (its `kid` is the file's name without ending), or a JWK or JWK set in JSON.

    Of a private key only the public half is kept. `BadKey` names the file when nothing in it can be used.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadKey(f"token key {path}: {error.strerror}") from None
    keys = _from_json(data) if data.lstrip()[:1] == b"{" else _from_pem(data, path)
    if not keys:
        raise BadKey(f"token key {path}: no Ed25519, P-256 or RSA key in it")
    return keys


def jwk_set(data: bytes) -> tuple[TokenKey, ...]:
    """The usable keys of a JWK set; keys of other types, uses or algorithms are left out.

    `BadKey` when the bytes are no JWK set at all.
    """
    try:
        members = msgspec.json.decode(data, type=_JwkSet).keys
    except (msgspec.MsgspecError, RecursionError):
        raise BadKey("not a JWK set") from None
    return tuple(key for raw in members[:JWKS_MAX_KEYS] if (key := _from_jwk(bytes(raw))) is not None)


def select(keys: Iterable[TokenKey], kid: str | None, algorithm: str) -> TokenKey | None:
    """The one key that fits: exactly this `kid` (any, when the token names none) and this algorithm."""
    fitting = [key for key in keys if key.algorithm == algorithm and kid in (None, key.kid)]
    return fitting[0] if len(fitting) == 1 else None


def _from_json(data: bytes) -> tuple[TokenKey, ...]:
    try:
        return jwk_set(data)
    except BadKey:
        key = _from_jwk(data)
        return () if key is None else (key,)


def _from_pem(data: bytes, path: Path) -> tuple[TokenKey, ...]:
    private = b"PRIVATE KEY" in data
    try:
        key = load_pem_private_key(data, None).public_key() if private else load_pem_public_key(data)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise BadKey(f"token key {path}: neither a PEM key without password nor a JWK") from None
    found = _token_key(path.stem, key)
    if found is None and isinstance(key, rsa.RSAPublicKey):
        low, high = RSA_BITS
        raise BadKey(f"token key {path}: an RSA key needs {low} to {high} bits, this has {key.key_size}")
    return () if found is None else (found,)


def _from_jwk(data: bytes) -> TokenKey | None:
    try:
        jwk = msgspec.json.decode(data, type=_Jwk)
        key = _token_key(jwk.kid, _public_key(jwk))
    except (msgspec.MsgspecError, RecursionError, ValueError, UnsupportedAlgorithm):
        return None
    signs = jwk.use in (None, "sig") and (jwk.key_ops is None or "verify" in jwk.key_ops)
    return key if key and signs and jwk.alg in (None, key.algorithm) else None


def _public_key(jwk: _Jwk) -> object:
    match jwk.kty, jwk.crv:
        case "OKP", "Ed25519":
            return ed25519.Ed25519PublicKey.from_public_bytes(_bytes(jwk.x))
        case "EC", "P-256":
            return ec.EllipticCurvePublicNumbers(_int(jwk.x), _int(jwk.y), ec.SECP256R1()).public_key()
        case "RSA", _:
            return rsa.RSAPublicNumbers(_int(jwk.e), _int(jwk.n)).public_key()
        case _:
            return None


def _token_key(kid: str | None, key: object) -> TokenKey | None:
    if isinstance(key, ed25519.Ed25519PublicKey):
        # OpenSSL loads points of small order, for which there is a signature that fits every token.
        return None if weakness(key.public_bytes_raw()) else TokenKey(kid, "EdDSA", key)
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return TokenKey(kid, "ES256", key)
    if isinstance(key, rsa.RSAPublicKey) and RSA_BITS[0] <= key.key_size <= RSA_BITS[1]:
        return TokenKey(kid, "RS256", key)
    return None


def _bytes(text: str) -> bytes:
    """Base64url without padding (RFC 7515 section 2); binascii.Error is a ValueError."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _int(text: str) -> int:
    number = int.from_bytes(_bytes(text), "big")
    if not number:
        raise binascii.Error("an empty number")
    return number
