"""The vendor's keys in PEM: those that are to be trusted, and those that sign."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from seatd.licensing.keys import BadSigningKey, load_private_key, private_pem, public_pem
from seatd.licensing.trust import BadTrustAnchor, TrustStore
from tests.fuzz.target import Target
from tests.hub import token_factory
from tests.licensing.build import STRANGER, VENDOR


def run(data: bytes) -> None:
    """Refused, or keys."""
    try:
        assert len(TrustStore.from_pems([("vendor.pem", data)])) > 0
    except BadTrustAnchor as refusal:
        assert "vendor.pem" in str(refusal)
    with contextlib.suppress(BadSigningKey):
        load_private_key(data)


def seeds() -> Iterator[bytes]:
    for key in (VENDOR, STRANGER):
        yield public_pem(key.public_key())
        yield private_pem(key)
    for other in token_factory.ALGORITHMS.values():
        yield token_factory.public_pem(other)
        yield token_factory.private_pem(other)


TARGET = Target(
    "vendor_keys",
    run,
    seeds,
    (b"-----BEGIN ENCRYPTED PRIVATE KEY-----", b"-----END PUBLIC KEY-----", b"PRIVATE"),
)
