"""Administrators as the store keeps them, their sessions in the console, and links that sign one of them in once."""

from __future__ import annotations

from seatd.store.access_values import Grant
from seatd.store.values import Value

SECRETS = ("password_hash", "totp_secret", "totp_pending")
"""What of an administrator never appears in an audit entry, an answer or a log."""


class Administrator(Value, frozen=True, kw_only=True):
    """A person with one or more grants.

    `password_hash` "": no password signs in, only a link. `totp_secret` is the confirmed secret of one-time codes,
    `totp_pending` one that was shown and not confirmed yet. `generation` rises with whatever must end the sessions that are
    there (password, code, grants, being disabled); it begins with the time, so a name that is given again begins anew.
    """

    name: str
    grants: tuple[Grant, ...]
    password_hash: str = ""
    totp_secret: str = ""
    totp_pending: str = ""
    must_totp: bool = False
    disabled: bool = False
    created_ms: int = 0
    created_by: str = ""
    generation: int = 0


class SignIn(Value, frozen=True, kw_only=True):
    """A session in the console, kept under the hash of its secret. `grant` counts the administrator's grants from 0;
    `customer`, when given, is the only one that is acted for. It ends at `ends_ms`, or when it has not been seen for long."""

    name: str
    generation: int
    grant: int = 0
    customer: str = ""
    created_ms: int
    seen_ms: int
    ends_ms: int
    address: str = ""


class SignInLink(Value, frozen=True, kw_only=True):
    """Signs one administrator in, once, until `ends_ms`; kept under the hash of its secret."""

    name: str
    generation: int
    ends_ms: int
