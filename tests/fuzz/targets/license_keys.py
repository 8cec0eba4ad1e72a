"""License keys: as they are pasted, and what stands in those that a careless vendor has signed."""

from __future__ import annotations

import json
from collections.abc import Iterator

import msgspec

from seatd.licensing import compact
from seatd.licensing.keys import (
    ALG,
    TYP,
    BadLicenseKey,
    LicenseKey,
    fingerprint,
    read_unverified,
    sign,
    verify,
)
from tests.fuzz.target import Target
from tests.licensing.build import CATALOG, GOOD, NOW_MS, TRUST, VENDOR

HEADER = json.dumps({"alg": ALG, "typ": TYP, "kid": fingerprint(VENDOR.public_key())}).encode()
PAYLOAD = json.dumps(GOOD).encode()


def run(data: bytes) -> None:
    """Refused with faults, or a key that says the same when it is read again. The first byte says what the others are."""
    mode, rest = data[:1] or b"\x00", data[1:]
    match mode[0] % 3:
        case 1:
            pasted = _signed(HEADER, rest)
        case 2:
            pasted = _signed(rest, PAYLOAD)
        case _:
            pasted = rest.decode("utf-8", "replace")
    for read in (_verified, _unverified):
        try:
            key = read(pasted)
        except BadLicenseKey as refusal:
            assert refusal.faults
            assert all(msgspec.json.encode(fault) for fault in refusal.faults)  # they are answered and logged
            continue
        assert read(key.text) == read(compact.wrap(key.text)) == key
        assert msgspec.json.encode(key)


def _verified(pasted: str) -> LicenseKey:
    return verify(pasted, TRUST, CATALOG, now_ms=NOW_MS)


def _unverified(pasted: str) -> LicenseKey:
    return read_unverified(pasted, CATALOG, now_ms=NOW_MS)


def _signed(header: bytes, payload: bytes) -> str:
    text = f"{compact.encode(header)}.{compact.encode(payload)}"
    return f"{text}.{compact.encode(VENDOR.sign(text.encode()))}"


def seeds() -> Iterator[bytes]:
    key = sign(GOOD, VENDOR, CATALOG)
    yield b"\x00" + key.encode()
    yield b"\x00" + compact.wrap(key).encode()
    yield b"\x01" + PAYLOAD
    yield (
        b"\x01"
        + json.dumps(GOOD | {"domains": ["a\u00fc.example"], "licenses": GOOD["licenses"][:1]}).encode()
    )
    yield b"\x02" + HEADER


WORDS = (
    b"-----BEGIN SEATD LICENSE-----",
    b"\xef\xbb\xbf",
    b'"limit":',
    b'"policy":{}',
    b'"on_expiry":',
    b"2026-02-30T00:00:00Z",
    b"xn--",
    b"[" * 2000,
)
TARGET = Target("license_keys", run, seeds, WORDS)
