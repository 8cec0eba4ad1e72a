"""One-time codes as RFC 6238 has them."""

from __future__ import annotations

import base64
from urllib.parse import parse_qs, urlsplit

import pytest

from seatd.web.totp import STEP_S, code_at, new_secret, step_of, uri

RFC = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("time_s", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_vectors_of_rfc_6238(time_s: int, code: str) -> None:
    assert code_at(RFC, time_s // STEP_S) == code[-6:]


def test_a_code_is_good_one_step_before_and_after() -> None:
    now_ms = 1_790_000_000_000
    present = now_ms // 1000 // STEP_S
    accepted = {off: step_of(RFC, code_at(RFC, present + off), now_ms) for off in range(-3, 4)}
    assert accepted == {
        -3: None, -2: None, -1: present - 1, 0: present, 1: present + 1, 2: None, 3: None,
    }  # fmt: skip


@pytest.mark.parametrize("code", ["", "0", "abcdef", "1234567", "\u0661\u0662\u0663\u0664\u0665\u0666"])
def test_what_is_no_code(code: str) -> None:
    assert step_of(RFC, code, 1_790_000_000_000) is None


def test_spaces_do_not_matter() -> None:
    code = code_at(RFC, 1_790_000_000 // STEP_S)
    assert step_of(RFC, f" {code[:3]} {code[3:]}", 1_790_000_000_000) is not None


def test_what_an_app_is_given() -> None:
    secret = new_secret()
    assert len(base64.b32decode(secret)) == 20
    assert secret != new_secret()
    parts = urlsplit(uri(secret, "ann@acme.example"))
    assert (parts.scheme, parts.netloc, parts.path) == ("otpauth", "totp", "/seatd%3Aann%40acme.example")
    assert parse_qs(parts.query) == {"secret": [secret], "issuer": ["seatd"]}
