"""License keys: a compact JWS (RFC 7515) signed with Ed25519 (EdDSA, RFC 8037).

Header `{alg: EdDSA, typ: seatd-license+jwt, kid}`; `kid` is the fingerprint of the vendor's public key. The
signature is checked over the very bytes that are then parsed, nothing is parsed before but the header. The
claims are described in `claims`, every way to be wrong in `faults`.
"""

from __future__ import annotations

from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from seatd.licensing import compact
from seatd.licensing.catalog import Catalog
from seatd.licensing.claims import CustomerClaim, LicenseClaim, LicenseKey, read_claims
from seatd.licensing.faults import FAULT_CODES, BadLicenseKey, Fault, refused
from seatd.licensing.trust import BadTrustAnchor, TrustStore, fingerprint

ALG = "EdDSA"
TYP = "seatd-license+jwt"

__all__ = [
    "FAULT_CODES",
    "BadLicenseKey",
    "BadSigningKey",
    "BadTrustAnchor",
    "CustomerClaim",
    "Fault",
    "LicenseClaim",
    "LicenseKey",
    "TrustStore",
    "fingerprint",
    "load_private_key",
    "new_private_key",
    "private_pem",
    "public_pem",
    "read_unverified",
    "sign",
    "verify",
]


class BadSigningKey(ValueError):
    """The vendor's private key cannot be used; the message says why, never the key."""


def new_private_key() -> Ed25519PrivateKey:
    """A new vendor key."""
    return Ed25519PrivateKey.generate()


def private_pem(key: Ed25519PrivateKey) -> bytes:
    """The private key in PEM (PKCS #8), unencrypted: for a file that only its owner can read."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_pem(key: Ed25519PublicKey) -> bytes:
    """The public key in PEM, as operators put it into their trusted keys."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def load_private_key(pem: bytes) -> Ed25519PrivateKey:
    """The vendor's private key from PEM. Raises BadSigningKey."""
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError:
        raise BadSigningKey("the private key is encrypted; decrypt it first") from None
    except (ValueError, UnsupportedAlgorithm):
        raise BadSigningKey("not a private key in PEM (-----BEGIN PRIVATE KEY-----)") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise BadSigningKey("only Ed25519 keys sign licenses, this is another kind of key")
    return key


def sign(
    claims: Mapping[str, object],
    private_key: Ed25519PrivateKey,
    catalog: Catalog | None = None,
    *,
    now_ms: int | None = None,
) -> str:
    """The license key for these claims. Refuses what `verify` would refuse (BadLicenseKey).

    Without a catalogue the packaged one holds; without `now_ms` the moment of issue is not checked.
    """
    kid = fingerprint(private_key.public_key())
    payload = _writable(claims)
    _believe(payload, catalog or Catalog.load(), now_ms, kid, text="")
    signed = compact.join({"alg": ALG, "typ": TYP, "kid": kid}, payload)
    signature = private_key.sign(signed.encode("ascii"))
    return compact.unwrap(f"{signed}.{compact.encode(signature)}")


def verify(pasted: str, trust: TrustStore, catalog: Catalog, *, now_ms: int) -> LicenseKey:
    """The license key in a pasted text, if a trusted vendor signed it and all it says is allowed.

    Whether its licenses are valid now is not asked: keys may be imported ahead, and expired ones are shown.
    Raises BadLicenseKey with every fault.
    """
    parts = compact.split(pasted)
    kid = _kid(parts)
    public_key = trust.get(kid)
    if public_key is None:
        raise refused("unknown_kid", "header.kid", "" if len(trust) else "no vendor key is trusted at all")
    try:
        public_key.verify(parts.signature, parts.signed)
    except InvalidSignature:
        raise refused("bad_signature", "signature") from None
    return _believe(parts.payload, catalog, now_ms, kid, parts.text)


def read_unverified(pasted: str, catalog: Catalog, *, now_ms: int) -> LicenseKey:
    """What a key says, whoever wrote it: to be shown as unverified, never to be acted on.
    Raises BadLicenseKey."""
    parts = compact.split(pasted)
    return _believe(parts.payload, catalog, now_ms, _kid(parts), parts.text)


def _kid(parts: compact.Compact) -> str:
    """The key id of a header that is a license key's."""
    if parts.header.get("typ") != TYP:
        raise refused("wrong_typ", "header.typ")
    if parts.header.get("alg") != ALG:
        raise refused("wrong_alg", "header.alg")
    if "crit" in parts.header:  # RFC 7515 section 4.1.11: what must be understood and is not
        raise refused("malformed", "header.crit", "the header demands an extension that seatd does not know")
    kid = parts.header.get("kid")
    if not isinstance(kid, str):
        raise refused("unknown_kid", "header.kid", "the header names no key id")
    return kid


def _writable(claims: Mapping[str, object]) -> bytes:
    try:
        return compact.write_object(dict(claims))
    except (TypeError, ValueError, RecursionError):
        raise refused("not_json", "payload") from None


def _believe(payload: bytes, catalog: Catalog, now_ms: int | None, kid: str, text: str) -> LicenseKey:
    claims = compact.read_object(payload, "payload")
    key = read_claims(claims, catalog, now_ms=now_ms, kid=kid, text=text)
    if isinstance(key, LicenseKey):
        return key
    raise BadLicenseKey(*key)
