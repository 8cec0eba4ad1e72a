"""Keys that tokens are checked with: sets that an identity provider serves, and files."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from seatd.hub.token_keys import BadKey, TokenKey, jwk_set, key_file
from tests.fuzz.target import Target
from tests.hub.token_factory import ALGORITHMS, jwk, jwks, private_pem, public_pem

FOLDER = tempfile.TemporaryDirectory(prefix="seatd-fuzz-")


def run(data: bytes) -> None:
    """Refused, or usable keys. The first byte says whether the others come from the network or from a file."""
    mode, rest = data[:1], data[1:]
    try:
        if mode == b"f":
            path = Path(FOLDER.name, "key.pem")
            path.write_bytes(rest)
            found = key_file(path)
            assert found
        else:
            found = jwk_set(rest)
    except BadKey:
        return
    assert all(isinstance(key, TokenKey) and key.algorithm in ALGORITHMS for key in found)


def seeds() -> Iterator[bytes]:
    shown = [jwk(key, name, alg=name, use="sig", key_ops=["verify"]) for name, key in ALGORITHMS.items()]
    yield b"n" + jwks(*shown)
    for one in shown:
        yield b"n" + jwks(one)
        yield b"f" + json.dumps(one).encode()
    for key in ALGORITHMS.values():
        yield b"f" + public_pem(key)
        yield b"f" + private_pem(key)


WORDS = (
    b'"kty":"RSA"',
    b'"kty":"EC"',
    b'"kty":"OKP"',
    b'"crv":"P-256"',
    b'"e":"AQAB"',
    b'"e":"AA"',
    b'"n":""',
    b"-----BEGIN PUBLIC KEY-----",
)
TARGET = Target("token_keys", run, seeds, WORDS)
