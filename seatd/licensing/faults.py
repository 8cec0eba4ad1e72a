"""What can be wrong with a license key: stable codes, each with its meaning.

ValueError
└── BadLicenseKey   the key is refused; `faults` says why, one Fault per thing that is wrong
"""

from __future__ import annotations

import msgspec

FAULT_CODES: dict[str, str] = {
    "malformed": "the text is not a license key (three parts joined by dots)",
    "too_large": "the key is longer than any license key may be",
    "non_canonical_base64": "a part is not base64url in its one allowed spelling",
    "not_json": "a part is not one JSON object that can be read without loss",
    "duplicate_json_key": "an object names a field twice",
    "wrong_typ": "the header's typ is not that of a license key",
    "wrong_alg": "the header's alg is not EdDSA",
    "unknown_kid": "no trusted vendor key has this key id",
    "bad_signature": "the signature does not fit: altered, or signed by someone else",
    "missing": "a required field is missing",
    "wrong_type": "a field has another type than it must",
    "bad_name": "a name is empty, too long, or has characters that names must not have",
    "bad_time": "a time is not RFC 3339 in UTC, such as 2026-01-31T00:00:00Z",
    "issued_in_future": "the key was issued more than a day in the future: check the clocks",
    "domains_missing": "the key names no domain",
    "duplicate_domain": "the key names a domain twice",
    "licenses_missing": "the key holds no license",
    "duplicate_license_id": "two licenses of the key have the same id",
    "product_unknown": "the catalogue has no such product",
    "kind_not_allowed": "the product cannot be licensed in this kind",
    "limit_not_positive": "the limit is not a whole number from 1 to 10000000",
    "overdraft_negative": "the overdraft is not a whole number from 0 to 10000000",
    "from_not_before_till": "the license ends before, or when, it begins",
    "bad_policy": "the policy says something that is not one of its choices",
}


class Fault(msgspec.Struct, frozen=True):
    """One thing that is wrong: a code of FAULT_CODES, where (`licenses[2].limit`, "" for the key as a whole)
    and a sentence for people."""

    code: str
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message} ({self.code})" if self.path else f"{self.message} ({self.code})"


class BadLicenseKey(ValueError):
    """The license key is refused. Nothing of it may be used."""

    def __init__(self, *faults: Fault) -> None:
        self.faults = faults
        super().__init__("\n".join(map(str, faults)))


def refused(code: str, path: str = "", message: str = "") -> BadLicenseKey:
    """The refusal for one fault; without a message, the code's own meaning."""
    return BadLicenseKey(Fault(code, path, message or FAULT_CODES[code]))
