"""Time-based one-time codes (RFC 6238): SHA-1, six digits, steps of 30 seconds, which is what every authenticator app does."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from urllib.parse import quote, urlencode

STEP_S = 30
DIGITS = 6
SECRET_BYTES = 20  # RFC 4226 section 4: as long as the hash
AROUND = (0, -1, 1)
"""Steps that are accepted: clocks are off, and people type slowly (RFC 6238 section 5.2)."""


def new_secret() -> str:
    """A secret as authenticator apps take it: base32."""
    return base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()


def uri(secret: str, name: str) -> str:
    """The address that is shown as a QR code."""
    label = quote(f"seatd:{name}", safe="")
    return f"otpauth://totp/{label}?" + urlencode({"secret": secret, "issuer": "seatd"})


def code_at(secret: str, step: int) -> str:
    """The code of a time step (RFC 4226 section 5.3)."""
    digest = hmac.digest(base64.b32decode(secret), step.to_bytes(8, "big"), hashlib.sha1)
    at = digest[-1] & 0x0F
    number = int.from_bytes(digest[at : at + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def step_of(secret: str, code: str, now_ms: int) -> int | None:
    """The time step that the code belongs to; None: it is none of those around now."""
    present = now_ms // 1000 // STEP_S
    given = "".join(code.split()).encode()
    fitting = [
        present + off for off in AROUND if hmac.compare_digest(code_at(secret, present + off).encode(), given)
    ]
    return fitting[0] if fitting else None
