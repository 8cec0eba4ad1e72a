"""Vendor public keys: which are trusted, and which are too weak to be.

A trust anchor is an Ed25519 public key in PEM. OpenSSL loads points of small order, for which a signature
exists that fits every message, and points in spellings that are not canonical; both are refused here, as
RFC 8032 section 5.1.3 and "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko; 2020) advise.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from seatd.licensing.points import weakness

BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)


class BadTrustAnchor(ValueError):
    """A file that was to be trusted cannot be; the message says which and why."""


class TrustStore:
    """The vendor keys whose licenses are accepted, by key id."""

    def __init__(self, keys: Iterable[Ed25519PublicKey] = ()) -> None:
        self.keys: Mapping[str, Ed25519PublicKey] = {fingerprint(key): key for key in keys}

    @classmethod
    def from_pems(cls, files: Iterable[tuple[str, bytes]]) -> TrustStore:
        """The keys in these files, each given as (name, content); a file may hold several.
        Raises BadTrustAnchor."""
        return cls(key for name, pem in files for key in load_public_keys(pem, name))

    def get(self, kid: str) -> Ed25519PublicKey | None:
        """The key with this id."""
        return self.keys.get(kid)

    def __len__(self) -> int:
        return len(self.keys)


def fingerprint(key: Ed25519PublicKey) -> str:
    """The key id: the first 8 bytes of the SHA-256 of the raw public key, in hex."""
    return hashlib.sha256(raw_public(key)).hexdigest()[:16]


def raw_public(key: Ed25519PublicKey) -> bytes:
    """The key as RFC 8032 spells it: 32 bytes."""
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def load_public_keys(pem: bytes, name: str) -> list[Ed25519PublicKey]:
    """All public keys of a PEM file, at least one; `name` tells which file in errors.
    Raises BadTrustAnchor."""
    blocks = list(BLOCK.finditer(pem.decode("ascii", "replace")))
    if not blocks:
        raise BadTrustAnchor(f"{name}: holds no public key in PEM (-----BEGIN PUBLIC KEY-----)")
    return [_load(block.group(0), block.group(1), name) for block in blocks]


def _load(block: str, label: str, name: str) -> Ed25519PublicKey:
    if "PRIVATE" in label:
        raise BadTrustAnchor(f"{name}: holds a private key; only the public key belongs here")
    try:
        key = load_pem_public_key(block.encode("ascii", "replace"))
    except (ValueError, UnsupportedAlgorithm):
        raise BadTrustAnchor(f"{name}: the public key cannot be read") from None
    if not isinstance(key, Ed25519PublicKey):
        raise BadTrustAnchor(f"{name}: only Ed25519 keys sign licenses, this is another kind of key")
    reason = weakness(raw_public(key))
    if reason:
        raise BadTrustAnchor(f"{name}: the public key is unsafe: {reason}")
    return key
