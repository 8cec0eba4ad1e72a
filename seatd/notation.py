"""How a setting is written in a file, a variable or a flag, and how it is shown again.

A reader takes a string, or what TOML makes of one, and raises `ValueError` with a sentence that says how to
write it instead. No sentence repeats what was given: it might be a secret.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import NoneType
from typing import Literal, NamedTuple, get_args, get_origin

MASK = "********"

_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")
_ADDRESS = re.compile(r"(?:\[([^\[\]\s]+)\]|([A-Za-z0-9._-]+)):([0-9]{1,5})")
_PASSWORD = re.compile(r"(\w://[^\s:@/]*:)\S*@|([?&]password=)[^&\s]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SWITCH = {"true": True, "yes": True, "on": True, "1": True}
_SWITCH |= {"false": False, "no": False, "off": False, "0": False}


class Seconds(float):
    """A span of time, written with its unit: `500ms`, `2.5s`, `15m`, `24h`, `7d`."""


class Secret(str):
    """Text that is never shown: neither by `shown` nor in the `repr` of anything that holds it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Secret({MASK!r})"


class Url(str):
    """An address that may carry a password; shown without it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Url({mask_passwords(self)!r})"


class Address(NamedTuple):
    """Where to listen. `port` 0 asks the system for a free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def mask_passwords(text: str) -> str:
    """The text with every URL's password replaced, up to the last `@` (a password may hold one)."""
    return _PASSWORD.sub(lambda found: f"{found[1]}{MASK}@" if found[1] else f"{found[2]}{MASK}", text)


def duration(seconds: float) -> str:
    """A span of time as one would write it: `10s`, `2.5s`, `15m`, `500ms`."""
    for unit, size in _UNITS.items():
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:.10g}{unit}"
    return f"{seconds:.10g}s" if seconds >= 1 or seconds == 0 else f"{seconds * 1000:.10g}ms"


def shown(value: object) -> str:
    """A setting as people see it: in its own notation, secrets masked, an absent value empty."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case Seconds():
            return duration(value)
        case Secret():
            return MASK
        case Url():
            return mask_passwords(value)
        case Address():
            return str(value)
        case tuple():
            return ",".join(map(shown, value))
        case float():
            return f"{value:.10g}"
    return str(value)


def read(kind: object, raw: object) -> object:
    """The value of type `kind` that `raw` stands for; an empty string where a value may be absent is None."""
    options = get_args(kind)
    if get_origin(kind) is Literal:
        return _choice(options, raw)
    if NoneType in options:
        return None if raw == "" else read(options[0], raw)
    return READERS[kind](raw)


def _text(raw: object) -> str:
    if not isinstance(raw, str):
        raise ValueError("must be text in quotes")
    if not raw or _CONTROL.search(raw):
        raise ValueError("must not be empty, nor hold control characters")
    return raw


def _secret(raw: object) -> Secret:
    if not isinstance(raw, str):
        raise ValueError("must be text in quotes")
    return Secret(raw)


def _choice(options: tuple[str, ...], raw: object) -> str:
    if raw not in options:
        raise ValueError("must be one of " + ", ".join(options))
    return str(raw)


def _switch(raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and raw.lower() in _SWITCH:
        return _SWITCH[raw.lower()]
    raise ValueError("must be true or false")


def _whole(raw: object) -> int:
    if isinstance(raw, str) and re.fullmatch(r"-?[0-9]{1,18}", raw):
        return int(raw)
    if isinstance(raw, int) and not isinstance(raw, bool):
        return raw
    raise ValueError("must be a whole number")


def _number(raw: object) -> float:
    if isinstance(raw, str) and re.fullmatch(r"-?[0-9]{1,18}(\.[0-9]+)?", raw):
        return float(raw)
    if isinstance(raw, int | float) and not isinstance(raw, bool) and math.isfinite(raw):
        return float(raw)
    raise ValueError("must be a number")


def _seconds(raw: object) -> Seconds:
    found = _DURATION.fullmatch(raw) if isinstance(raw, str) else None
    if found is None:
        raise ValueError("must be a duration with its unit, such as 25s, 2.5s, 15m or 500ms")
    return Seconds(float(found[1]) * _UNITS[found[2]])


def _address(raw: object) -> Address:
    found = _ADDRESS.fullmatch(raw) if isinstance(raw, str) else None
    if found is None or int(found[3]) > 65535 or not _is_host(found[1], found[2]):
        raise ValueError("must be HOST:PORT, such as 0.0.0.0:8470, localhost:0 or [::1]:8470")
    return Address(found[1] or found[2], int(found[3]))


def _is_host(bracketed: str | None, bare: str | None) -> bool:
    if bracketed is None:
        return bool(bare)
    try:
        return bool(ipaddress.IPv6Address(bracketed))
    except ValueError:
        return False


def _path(raw: object) -> Path:
    return Path(_text(raw)).expanduser()


def _words(raw: object) -> tuple[str, ...]:
    if isinstance(raw, str):
        raw = [word.strip() for word in raw.split(",") if word.strip()]
    if not isinstance(raw, list | tuple):
        raise ValueError("must be a list")
    return tuple(map(_text, raw))


def _paths(raw: object) -> tuple[Path, ...]:
    return tuple(map(_path, _words(raw)))


READERS: Mapping[object, Callable[[object], object]] = {
    str: _text,
    bool: _switch,
    int: _whole,
    float: _number,
    Seconds: _seconds,
    Secret: _secret,
    Url: lambda raw: Url(_text(raw)),
    Address: _address,
    Path: _path,
    tuple[str, ...]: _words,
    tuple[Path, ...]: _paths,
}
