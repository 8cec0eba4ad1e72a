"""The keys that client tokens are checked with: which a server refuses to start with, and why."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from seatd.hub.token_keys import BadKey, shared_secret
from seatd.hub.tokens import TokenChecker, TokenOptions
from tests.hub.token_factory import public_pem


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(BadKey, match="31 bytes; at least 32"):
        TokenChecker(TokenOptions(hs256_secret="x" * 31))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "neither a PEM key without password nor a JWK"),
        (
            b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
            "neither a PEM key without password",
        ),
        (
            public_pem(rsa.generate_private_key(65537, 1024)),
            "an RSA key needs 2048 to 8192 bits, this has 1024",
        ),
        (public_pem(ec.generate_private_key(ec.SECP384R1())), "no Ed25519, P-256 or RSA key in it"),
        (b'{"keys":[]}', "no Ed25519, P-256 or RSA key in it"),
        (b'{"kty":"oct","k":"c2VjcmV0"}', "no Ed25519, P-256 or RSA key in it"),
        (b"{", "no Ed25519, P-256 or RSA key in it"),
    ],
)
def test_key_files_that_are_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "bad.pem"
    path.write_bytes(content)
    with pytest.raises(BadKey, match=reason) as refused:
        TokenChecker(TokenOptions(keys=(path,)))
    assert str(path) in str(refused.value)


def test_a_key_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(BadKey, match="No such file"):
        TokenChecker(TokenOptions(keys=(tmp_path / "none.pem",)))


def test_a_public_key_is_no_secret() -> None:
    """Who knows it could sign: the classic confusion, by the operator's own mistake."""
    with pytest.raises(BadKey, match="of another kind"):
        shared_secret(public_pem(ec.generate_private_key(ec.SECP256R1())).decode())
