"""Tokens are those of `load-0@domain` and so on, signed once."""

from __future__ import annotations

from pathlib import Path

import jwt
import pytest

from loadtest.clients.errors import BadTokens
from loadtest.clients.tokens import read, signed, text_of

SECRET = "s" * 32
WHOSE = {"customer": "acme", "domain": "acme.example", "audience": "seatd", "issuer": None}


def test_signed() -> None:
    token = signed(SECRET, **{**WHOSE, "issuer": "staging"}, user="agent-{n}", kid="k1")
    claims = jwt.decode(token(3), SECRET, ["HS256"], audience="seatd", issuer="staging")
    assert (claims["sub"], claims["customer"]) == ("agent-3@acme.example", "acme")
    assert jwt.get_unverified_header(token(3))["kid"] == "k1"
    assert token(3) is token(3)
    assert token(3) != token(4)


@pytest.mark.parametrize(("secret", "user"), [("short", "load-{n}"), (SECRET, "everybody")])
def test_what_cannot_be_signed(secret: str, user: str) -> None:
    with pytest.raises(BadTokens):
        signed(secret, **WHOSE, user=user)


def test_read(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text("a\nb\n")
    assert [read(path, 2)(number) for number in range(2)] == ["a", "b"]
    with pytest.raises(BadTokens, match="2 tokens for 3 clients"):
        read(path, 3)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(BadTokens, match="not text"):
        text_of(path)
