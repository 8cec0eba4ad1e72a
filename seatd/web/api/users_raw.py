"""Looking through users as the store keeps them: of a hundred thousand a page shows fifty, so few are worth decoding."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec


class _Named(msgspec.Struct, gc=False):
    name: str = ""


class _InRole(msgspec.Struct, gc=False):
    role: str = "agent"


class _Extended(msgspec.Struct, gc=False):
    extension: str = ""


class _Created(msgspec.Struct, gc=False):
    created_ms: int = 0


_named = msgspec.json.Decoder(_Named).decode
_in_role = msgspec.json.Decoder(_InRole).decode
_extended = msgspec.json.Decoder(_Extended).decode
_created = msgspec.json.Decoder(_Created).decode

VALUES: Mapping[str, Callable[[bytes], Any]] = {
    "name": lambda text: _named(text).name.casefold(),
    "role": lambda text: _in_role(text).role.casefold(),
    "extension": lambda text: _extended(text).extension.casefold(),
    "created": lambda text: _created(text).created_ms,
}
"""What users are sorted by, out of the text of one."""


def possible(users: Mapping[str, bytes], search: str) -> Iterable[str]:
    """Those of the users who may be meant by `search`: some may prove not to be, but nobody who is meant is left out.

    Of plain ASCII that needs no escape in JSON, what a field contains its text contains.
    """
    sought = search.casefold()
    if not sought:
        return users
    whole = b"".join(users.values())
    if not (sought.isascii() and whole.isascii() and b"\\" not in whole and "".join(users).isascii()):
        return users
    word = sought.encode()
    return [user for user, text in users.items() if word in text.lower() or sought in user.lower()]
