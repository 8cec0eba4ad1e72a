"""License keys as a whole: round trip, pasting, signatures, header and outer form."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatd.licensing import compact
from seatd.licensing.keys import (
    BadLicenseKey,
    BadSigningKey,
    TrustStore,
    load_private_key,
    private_pem,
    public_pem,
    read_unverified,
    sign,
    verify,
)
from seatd.licensing.points import ORDER
from tests.licensing.build import (
    CATALOG,
    GOOD,
    NOW_MS,
    STRANGER,
    TRUST,
    VENDOR,
    all_faults,
    bent,
    careless,
    faults,
    signed,
)

KEY = sign(GOOD, VENDOR, CATALOG, now_ms=NOW_MS)


def test_round_trip_keeps_every_claim() -> None:
    key = verify(KEY, TRUST, CATALOG, now_ms=NOW_MS)
    assert (key.iss, key.jti, key.iat, key.text) == ("vendor", "key-1", NOW_MS // 1000, KEY)
    assert key.customer.id == "acme"
    assert key.customer.agency == "wholesale"
    assert key.domains == ("acme.example", "acme.test")
    first, second = key.licenses
    assert (first.id, first.product, first.kind, first.limit) == ("cc-1", "CALL_CENTER", "competitive", 25)
    assert (first.valid_from_ms, first.valid_till_ms) == (1767225600000, 1798761600000)
    assert (first.name, first.tier, first.overdraft) == ("order 7", "gold", 2)
    assert first.policy == {"on_expiry": "after_call", "colour": "blue"}
    assert (second.name, second.tier, second.overdraft, second.policy) == ("", "", 0, {})


def test_signing_is_repeatable() -> None:
    assert sign(GOOD, VENDOR) == KEY


@pytest.mark.parametrize(
    "pasted",
    [
        f"\ufeff{KEY}\r\n",
        f'  "{KEY}" ',
        f"\u201c{KEY}\u201d",
        "\n".join(KEY[start : start + 40] for start in range(0, len(KEY), 40)),
        compact.wrap(KEY),
        compact.wrap(KEY).replace("\n", "\r\n\t "),
        compact.wrap(KEY).replace("\n", " "),
        f"-----BEGIN SEATD LICENSE-----{KEY}-----END SEATD LICENSE-----",
        KEY.replace(".", " . "),
    ],
)
def test_pasting_is_forgiving(pasted: str) -> None:
    assert verify(pasted, TRUST, CATALOG, now_ms=NOW_MS).text == KEY


@pytest.mark.parametrize(
    "text", ["", "   ", "hello", "a.b", "a.b.c.d", "..", KEY + KEY, KEY + ".", "." + KEY]
)
def test_what_is_no_key_is_malformed(text: str) -> None:
    assert faults(text) == [("malformed", "")]


def test_every_bit_flip_is_refused() -> None:
    for index in range(len(KEY)):
        flipped = KEY[:index] + chr(ord(KEY[index]) ^ 1) + KEY[index + 1 :]
        assert faults(flipped), f"accepted with character {index} altered"


@pytest.mark.parametrize("part", [0, 1, 2])
def test_every_truncation_and_addition_of_a_part_is_refused(part: int) -> None:
    parts = KEY.split(".")
    for altered in (
        parts[part][:-1],
        parts[part][:-4],
        parts[part] + "A",
        parts[part] + "AAAA",
        parts[part][1:],
    ):
        assert faults(".".join([*parts[:part], altered, *parts[part + 1 :]]))


def test_an_altered_payload_is_a_bad_signature() -> None:
    header, payload, signature = KEY.split(".")
    other = compact.encode(json.dumps(bent("licenses.0.limit", 26)).encode())
    assert payload != other
    assert faults(f"{header}.{other}.{signature}") == [("bad_signature", "signature")]


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_refused_with_a_fault(text: str) -> None:
    assert faults(text)


def test_a_signature_with_the_order_added_is_refused() -> None:
    """Malleability: S + L fits the same equation; RFC 8032 section 5.1.7 wants S below L."""
    signed_part, _, signature = KEY.rpartition(".")
    raw = compact.split(KEY).signature
    twin = raw[:32] + (int.from_bytes(raw[32:], "little") + ORDER).to_bytes(32, "little")
    assert compact.encode(twin) != signature
    assert faults(f"{signed_part}.{compact.encode(twin)}") == [("bad_signature", "signature")]


def test_a_signature_of_another_length_is_bad() -> None:
    assert faults(KEY.rpartition(".")[0] + ".AAAA") == [("bad_signature", "signature")]


def test_another_vendors_key_is_unknown() -> None:
    key = sign(GOOD, STRANGER, CATALOG)
    assert faults(key) == [("unknown_kid", "header.kid")]
    assert faults(key, TrustStore([VENDOR.public_key(), STRANGER.public_key()])) == []


def test_without_trust_the_fault_says_so() -> None:
    (fault,) = all_faults(KEY, TrustStore())
    assert (fault.code, fault.message) == ("unknown_kid", "no vendor key is trusted at all")


def test_a_strangers_signature_under_the_vendors_kid_is_bad() -> None:
    forged = signed(json.dumps(GOOD).encode(), {"kid": compact.split(KEY).header["kid"]}, key=STRANGER)
    assert faults(forged) == [("bad_signature", "signature")]


@pytest.mark.parametrize(
    ("header", "fault"),
    [
        ({"typ": "JWT"}, ("wrong_typ", "header.typ")),
        ({"typ": None}, ("wrong_typ", "header.typ")),
        ({"typ": ["seatd-license+jwt"]}, ("wrong_typ", "header.typ")),
        ({"alg": "none"}, ("wrong_alg", "header.alg")),
        ({"alg": "HS256"}, ("wrong_alg", "header.alg")),
        ({"alg": "eddsa"}, ("wrong_alg", "header.alg")),
        ({"alg": None}, ("wrong_alg", "header.alg")),
        ({"kid": None}, ("unknown_kid", "header.kid")),
        ({"kid": 7}, ("unknown_kid", "header.kid")),
        ({"kid": "../../etc/passwd"}, ("unknown_kid", "header.kid")),
        ({"crit": ["b64"], "b64": False}, ("malformed", "header.crit")),
    ],
)
def test_a_wrong_header_is_refused(header: dict[str, object], fault: tuple[str, str]) -> None:
    assert faults(signed(json.dumps(GOOD).encode(), header)) == [fault]


def test_an_unknown_header_field_is_tolerated() -> None:
    assert faults(signed(json.dumps(GOOD).encode(), {"colour": "blue"})) == []


@pytest.mark.parametrize(
    ("header", "fault"),
    [
        (b"[]", ("not_json", "header")),
        (b"{", ("not_json", "header")),
        (b'{"alg":"EdDSA","alg":"none"}', ("duplicate_json_key", "header")),
        (b"[" * 100_000, ("not_json", "header")),
    ],
)
def test_a_header_that_is_no_object_is_refused(header: bytes, fault: tuple[str, str]) -> None:
    assert faults(f"{compact.encode(header)}.e30.AA") == [fault]


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"", "malformed"),
        (b"null", "not_json"),
        (b"[]", "not_json"),
        (b"{}{}", "not_json"),
        (b"{'a': 1}", "not_json"),
        (b'{"a": NaN}', "not_json"),
        (b'{"a": -Infinity}', "not_json"),
        (b'{"a": "\\ud800"}', "not_json"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not_json"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "not_json"),
        (b"\xff\xfe{}", "not_json"),
        (b"\xef\xbb\xbf{}", "not_json"),
        (b'{"iss": "a", "iss": "b"}', "duplicate_json_key"),
        (b'{"licenses": [{"limit": 1, "limit": 2}]}', "duplicate_json_key"),
        (b'{"a": 1, "\\u0061": 2}', "duplicate_json_key"),
    ],
)
def test_a_payload_that_is_no_object_is_refused(payload: bytes, code: str) -> None:
    assert faults(signed(payload)) == [(code, "" if code == "malformed" else "payload")]


@pytest.mark.parametrize("part", [0, 1, 2])
@pytest.mark.parametrize("alter", ["{}=", "{}==", "{}+", "{}/", "{}\u00e9", "{}*"])
def test_base64_has_one_spelling(part: int, alter: str) -> None:
    parts = KEY.split(".")
    parts[part] = alter.format(parts[part])
    names = ("header", "payload", "signature")
    assert faults(".".join(parts)) == [("non_canonical_base64", names[part])]


def test_loose_bits_at_the_end_of_base64_are_refused() -> None:
    signed_part, _, signature = KEY.rpartition(".")
    assert len(signature) == 86  # 64 bytes: the last character carries four bits that say nothing
    for loose in range(1, 16):
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        other = signature[:-1] + alphabet[alphabet.index(signature[-1]) + loose]
        assert faults(f"{signed_part}.{other}") == [("non_canonical_base64", "signature")]


def test_a_key_that_is_too_large_is_refused_before_it_is_read() -> None:
    assert faults("A" * (compact.MAX_KEY + 1)) == [("too_large", "")]
    assert faults("\n" * (2 * compact.MAX_KEY + 1)) == [("too_large", "")]


def many(count: int) -> dict[str, object]:
    license_ = GOOD["licenses"][0]
    return {**GOOD, "licenses": [{**license_, "id": f"license-{number:06}"} for number in range(count)]}


def test_a_thousand_licenses_fit() -> None:
    assert len(verify(sign(many(1000), VENDOR), TRUST, CATALOG, now_ms=NOW_MS).licenses) == 1000


def test_what_would_be_too_large_to_verify_is_not_signed() -> None:
    with pytest.raises(BadLicenseKey) as refusal:
        sign(many(5000), VENDOR)
    assert [fault.code for fault in refusal.value.faults] == ["too_large"]


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("licenses.0.limit", 0, "limit_not_positive"),
        ("iss", 7, "wrong_type"),
        ("iat", NOW_MS // 1000 + 200_000, "issued_in_future"),
        ("licenses.0.policy", {"a": float("nan")}, "not_json"),
        ("licenses.0.name", "\ud800", "not_json"),
        ("licenses.0.policy", {"a": object()}, "not_json"),
    ],
)
def test_sign_refuses_what_verify_refuses(path: str, value: object, code: str) -> None:
    with pytest.raises(BadLicenseKey) as refusal:
        sign(bent(path, value), VENDOR, CATALOG, now_ms=NOW_MS)
    assert [fault.code for fault in refusal.value.faults] == [code]


def test_a_refusal_reads_well() -> None:
    with pytest.raises(BadLicenseKey) as refusal:
        verify(careless(bent("licenses.0.limit", -1)), TRUST, CATALOG, now_ms=NOW_MS)
    assert str(refusal.value) == (
        "licenses[0].limit: must be a whole number from 1 to 10000000 (limit_not_positive)"
    )


def test_reading_unverified_needs_no_trust_but_a_good_form() -> None:
    key = read_unverified(sign(GOOD, STRANGER), CATALOG, now_ms=NOW_MS)
    assert key.licenses[0].limit == 25
    with pytest.raises(BadLicenseKey):
        read_unverified(careless(bent("licenses.0.limit", 0)), CATALOG, now_ms=NOW_MS)


def test_private_keys_survive_their_file() -> None:
    again = load_private_key(private_pem(VENDOR))
    assert public_pem(again.public_key()) == public_pem(VENDOR.public_key())


@pytest.mark.parametrize(
    ("pem", "reason"),
    [
        (b"", "not a private key in PEM (-----BEGIN PRIVATE KEY-----)"),
        (public_pem(VENDOR.public_key()), "not a private key in PEM (-----BEGIN PRIVATE KEY-----)"),
    ],
)
def test_what_is_no_private_key_is_refused(pem: bytes, reason: str) -> None:
    with pytest.raises(BadSigningKey) as refusal:
        load_private_key(pem)
    assert str(refusal.value) == reason


def test_other_kinds_of_private_key_are_refused() -> None:
    from cryptography.hazmat.primitives import serialization as pem
    from cryptography.hazmat.primitives.asymmetric import ec

    curve = ec.generate_private_key(ec.SECP256R1())
    plain = curve.private_bytes(pem.Encoding.PEM, pem.PrivateFormat.PKCS8, pem.NoEncryption())
    with pytest.raises(BadSigningKey, match="only Ed25519 keys sign licenses, this is another kind of key"):
        load_private_key(plain)
    locked = VENDOR.private_bytes(
        pem.Encoding.PEM, pem.PrivateFormat.PKCS8, pem.BestAvailableEncryption(b"secret")
    )
    with pytest.raises(BadSigningKey, match="the private key is encrypted; decrypt it first"):
        load_private_key(locked)
