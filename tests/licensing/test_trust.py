"""Which public keys may be trusted: small-order points, odd spellings, other kinds of key, files."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, x25519
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from seatd.licensing import compact
from seatd.licensing.keys import BadTrustAnchor, TrustStore, fingerprint, private_pem, public_pem
from seatd.licensing.points import P, weakness
from seatd.licensing.trust import raw_public
from tests.licensing.build import STRANGER, VENDOR

# The points of order 1, 2, 4 and 8, and the same in spellings that are not canonical ("Taming the many
# EdDSAs", table 1; the list that libsodium refuses as well).
ORDER_8 = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"
ORDER_8_TWIN = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
SMALL = {
    "order 1": "01" + "00" * 31,
    "order 2": "ec" + "ff" * 30 + "7f",
    "order 4": "00" * 32,
    "order 4, other sign": "00" * 31 + "80",
    "order 8": ORDER_8,
    "order 8, other sign": ORDER_8[:-2] + "85",
    "order 8, twin": ORDER_8_TWIN,
    "order 8, twin, other sign": ORDER_8_TWIN[:-2] + "fa",
}
ODD = {
    "y = p": "ed" + "ff" * 30 + "7f",
    "y = p + 1": "ee" + "ff" * 30 + "7f",
    "y = p, sign": "ed" + "ff" * 31,
    "order 1, sign of zero": "01" + "00" * 30 + "80",
    "order 2, sign of zero": "ec" + "ff" * 31,
    "all ones": "ff" * 32,
}


@pytest.mark.parametrize("name", SMALL)
def test_small_order_points_are_refused(name: str) -> None:
    assert weakness(bytes.fromhex(SMALL[name])) == "a point of small order"


@pytest.mark.parametrize("name", ODD)
def test_odd_spellings_are_refused(name: str) -> None:
    assert weakness(bytes.fromhex(ODD[name])) == "not in canonical form"


def test_what_is_not_on_the_curve_is_refused() -> None:
    assert weakness((2).to_bytes(32, "little")) == "not a point of the curve"


def test_a_safe_point_plus_a_small_one_is_refused() -> None:
    """Twice as many points fit such a key as should; negating both coordinates adds the point of order 2."""
    raw = raw_public(VENDOR.public_key())
    y = int.from_bytes(raw, "little") & (2**255 - 1)
    mixed = ((P - y) | ((raw[31] >> 7 ^ 1) << 255)).to_bytes(32, "little")
    assert weakness(mixed) == "a point of small order"


def test_honest_keys_are_safe() -> None:
    for seed in range(20):
        key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        assert weakness(raw_public(key.public_key())) is None


def test_a_small_order_key_would_accept_any_message() -> None:
    """Why they are refused: the library loads such a key, and a signature exists that fits everything."""
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(SMALL["order 1"]))
    key.verify(bytes.fromhex(SMALL["order 1"]) + bytes(32), b"any message at all")
    with pytest.raises(BadTrustAnchor, match=r"^bad.pem: the public key is unsafe: a point of small order$"):
        TrustStore.from_pems([("bad.pem", public_pem(key))])


def test_many_files_and_many_keys_in_one_file() -> None:
    both = b"# ours\n" + public_pem(VENDOR.public_key()) + b"\r\n" + public_pem(STRANGER.public_key())
    trust = TrustStore.from_pems([("both.pem", both), ("again.pem", public_pem(VENDOR.public_key()))])
    assert set(trust.keys) == {fingerprint(VENDOR.public_key()), fingerprint(STRANGER.public_key())}
    assert trust.get("no such key") is None


def test_the_key_id_is_short_and_stands_for_the_key() -> None:
    assert fingerprint(VENDOR.public_key()) == "56475aa75463474c"
    assert compact.encode(raw_public(VENDOR.public_key())) == "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg"


def pem_of(key: ec.EllipticCurvePublicKey | x25519.X25519PublicKey | ed25519.Ed25519PublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    ("pem", "reason"),
    [
        (b"", "holds no public key in PEM (-----BEGIN PUBLIC KEY-----)"),
        (b"\xff\x00", "holds no public key in PEM (-----BEGIN PUBLIC KEY-----)"),
        (private_pem(VENDOR), "holds a private key; only the public key belongs here"),
        (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "the public key cannot be read"),
        (
            pem_of(ec.generate_private_key(ec.SECP256R1()).public_key()),
            "only Ed25519 keys sign licenses, this is another kind of key",
        ),
        (
            pem_of(x25519.X25519PrivateKey.generate().public_key()),
            "only Ed25519 keys sign licenses, this is another kind of key",
        ),
    ],
)
def test_what_is_no_vendor_key_is_refused_with_its_file(pem: bytes, reason: str) -> None:
    with pytest.raises(BadTrustAnchor) as refusal:
        TrustStore.from_pems([("vendor.pem", pem)])
    assert str(refusal.value) == f"vendor.pem: {reason}"
