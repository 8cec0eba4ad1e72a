"""QR codes as another implementation (segno 1.6.6) draws them."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from tests.console.visitor import Visitor

MODULES = """
async ({ text, mask }) => {
  const style = document.querySelector('link[href$="css/tokens.css"]').href;
  const { qrModules } = await import(style.replace("css/tokens.css", "js/core/qr.js"));
  return qrModules(text, mask).map((row) => row.map(Number).join(""));
}
"""
ADDRESS = "otpauth://totp/seatd%3Aalice?secret=JBSWY3DPEHPK3PXP&issuer=seatd&" * 10
SMALL = [
    "111111101101001111111",
    "100000101100001000001",
    "101110100111101011101",
    "101110101001101011101",
    "101110100111001011101",
    "100000100000001000001",
    "111111101010101111111",
    "000000001001000000000",
    "101101110011001001011",
    "111110011010000111101",
    "011000101010010100011",
    "100101010111000011001",
    "010100101001101100000",
    "000000001101110011010",
    "111111101111001011000",
    "100000101000110101101",
    "101110100000010110110",
    "101110101011100001010",
    "101110101001110100100",
    "100000100001111110001",
    "111111101101111011100",
]


async def drawn(visitor: Visitor, text: str, mask: int | None = None) -> list[str]:
    """The rows of a code, a digit for each module."""
    await visitor.visit("/sign-in")
    rows: Any = await visitor.page.evaluate(MODULES, {"text": text, "mask": mask})
    return list(rows)


async def test_a_small_one(visitor: Visitor) -> None:
    assert await drawn(visitor, "seats, counted", 3) == SMALL
    assert len(await drawn(visitor, "seats, counted")) == len(SMALL)  # whichever mask is the best


@pytest.mark.parametrize(
    ("length", "mask", "version", "digest"),
    [
        (26, 0, 2, "3b142458582eb23e"),
        (106, 1, 6, "15ae8792b39bea74"),
        (122, 5, 7, "bc88248f84d02b7e"),
        (152, 6, 8, "35ac8d21a8d78ff7"),
        (213, 2, 10, "45500c80e89f39e6"),
        (412, 7, 15, "fc857220640529a2"),
    ],
)
async def test_texts_that_fill_their_code(
    visitor: Visitor, length: int, mask: int, version: int, digest: str
) -> None:
    rows = await drawn(visitor, ADDRESS[:length], mask)
    assert len(rows) == 4 * version + 17
    assert hashlib.sha256("".join(rows).encode()).hexdigest().startswith(digest)
