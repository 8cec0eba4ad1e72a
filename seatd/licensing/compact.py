"""The outer form of a license key: three base64url parts joined by dots (compact JWS, RFC 7515).

Pasting is forgiving: line breaks, spaces, a byte order mark, quotes and an armour of
`-----BEGIN SEATD LICENSE-----` lines are taken away. What is left has exactly one spelling: base64url without
padding that encodes back to itself, and JSON (RFC 8259) that names no field twice and holds nothing that
would be lost or changed when it is written again.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import textwrap

import msgspec

from seatd.licensing.faults import BadLicenseKey, refused

# A thousand licenses take about 400,000 characters; a JSON body of 1 MiB holds a key of this size.
MAX_KEY = 1_000_000
ARMOUR = re.compile(r"-----\s*(?:BEGIN|END)\s+SEATD\s+LICENSE\s*-----")
QUOTES = "\"'`\u2018\u2019\u201c\u201d\u00ab\u00bb"
PART = re.compile(r"[A-Za-z0-9_-]*")


class Compact(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a key, decoded but not yet believed. `signed` are the exact bytes that were signed."""

    text: str
    header: dict[str, object]
    payload: bytes
    signed: bytes
    signature: bytes


def unwrap(pasted: str) -> str:
    """The key within a pasted text. Raises BadLicenseKey (too_large)."""
    if len(pasted) > 2 * MAX_KEY:
        raise refused("too_large")
    text = "".join(ARMOUR.sub("", pasted).replace("\ufeff", "").split()).strip(QUOTES)
    if len(text) > MAX_KEY:
        raise refused("too_large")
    return text


def wrap(key: str) -> str:
    """The key in its armour, in lines of 64: the form that survives mail."""
    lines = "\n".join(textwrap.wrap(key, 64, break_on_hyphens=False))
    return f"-----BEGIN SEATD LICENSE-----\n{lines}\n-----END SEATD LICENSE-----\n"


def split(pasted: str) -> Compact:
    """The parts of a pasted key. Raises BadLicenseKey."""
    text = unwrap(pasted)
    parts = text.split(".")
    if len(parts) != 3 or not all(parts):
        raise refused("malformed")
    header, payload, signature = map(_decode, parts, ("header", "payload", "signature"))
    return Compact(
        text=text,
        header=read_object(header, "header"),
        payload=payload,
        signed=text.rpartition(".")[0].encode("ascii"),
        signature=signature,
    )


def join(header: dict[str, object], payload: bytes) -> str:
    """Header and payload as they are signed."""
    return f"{encode(write_object(header))}.{encode(payload)}"


def encode(raw: bytes) -> str:
    """base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _decode(part: str, name: str) -> bytes:
    try:
        raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) if PART.fullmatch(part) else b""
    except binascii.Error:
        raw = b""
    if encode(raw) != part:
        raise refused("non_canonical_base64", name)
    return raw


def write_object(value: dict[str, object]) -> bytes:
    """JSON without spaces, in UTF-8."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode("utf-8")


def read_object(raw: bytes, path: str) -> dict[str, object]:
    """One JSON object. Raises BadLicenseKey (not_json, duplicate_json_key) with `path`."""
    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
        json.dumps(value, ensure_ascii=False).encode("utf-8")  # half a surrogate pair cannot be written
    except _Duplicate as error:
        raise refused("duplicate_json_key", path, f"the field {error} is named twice") from None
    except (ValueError, RecursionError):
        raise refused("not_json", path) from None
    if not isinstance(value, dict):
        raise refused("not_json", path)
    return value


class _Duplicate(Exception):
    pass


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise _Duplicate(next(ascii(name[:64]) for name in names if names.count(name) > 1))
    return dict(pairs)


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


__all__ = [
    "MAX_KEY",
    "BadLicenseKey",
    "Compact",
    "encode",
    "join",
    "read_object",
    "split",
    "unwrap",
    "wrap",
    "write_object",
]
