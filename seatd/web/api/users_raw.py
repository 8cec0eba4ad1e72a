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


_named = msgspec.json.Decoder(list[_Named]).decode
_in_role = msgspec.json.Decoder(list[_InRole]).decode
_extended = msgspec.json.Decoder(list[_Extended]).decode
_created = msgspec.json.Decoder(list[_Created]).decode

VALUES: Mapping[str, Callable[[Iterable[bytes]], list[Any]]] = {
    "name": lambda texts: [user.name.casefold() for user in _named(_as_list(texts))],
    "role": lambda texts: [user.role.casefold() for user in _in_role(_as_list(texts))],
    "extension": lambda texts: [user.extension.casefold() for user in _extended(_as_list(texts))],
    "created": lambda texts: [user.created_ms for user in _created(_as_list(texts))],
}
"""What users are sorted by, out of the texts of some: to decode them together is cheaper than one by one."""


def _as_list(texts: Iterable[bytes]) -> bytes:
    return b"[%b]" % b",".join(texts)


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
