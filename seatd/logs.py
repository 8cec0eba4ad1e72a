"""One way to log: readable on a terminal, JSON lines otherwise, never a secret, never a forged line.

`configure` is called once, at start. Modules log with `structlog.get_logger(__name__)`; what aiohttp,
redis and asyncio say through the standard library takes the same way. Everything goes to standard error:
standard output belongs to the line `seatd ready ...`.

Two dangers are met here for all callers. A value under a name like `token` or `password` is masked, and so
is whatever looks like a credential inside a text. Control characters and line ends are escaped, so that no
user name can write a second line that looks like ours.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Mapping
from textwrap import indent
from typing import Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from seatd import tracing
from seatd.notation import MASK, mask_passwords

Level = Literal["debug", "info", "warning", "error"]
Format = Literal["auto", "text", "json"]

SENSITIVE = frozenset(
    {"token", "tokens", "secret", "secrets", "key", "keys", "password", "passwords", "jwt", "authorization"}
    | {"cookie", "cookies", "credential", "credentials"}
)
"""A name is sensitive when one of its words is here: `hs256_secret`, `api_key`, `Authorization`."""

_JWS = re.compile(r"\beyJ[\w-]+\.[\w-]*\.[\w-]*")  # tokens and license keys alike: base64 of `{"` begins eyJ
_API_TOKEN = re.compile(r"\bseatd_[\w-]{43}")
_NAMED = re.compile(r"((?:token|secret|password|key)=|Bearer )[^\s&;,]+", re.IGNORECASE)
# Besides C0 and C1: line and paragraph separators, and marks that turn the reading direction.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_QUIET = {"aiohttp.access": logging.WARNING, "asyncio": logging.INFO}


class _Handler(logging.StreamHandler[TextIO]):
    """Ours, to be found again when logging is configured anew."""


def configure(level: Level = "info", format: Format = "auto", stream: TextIO | None = None) -> None:
    """Send every record from `level` on to `stream` (standard error by default). May be called again."""
    stream = stream or sys.stderr
    handler = _Handler(stream)
    handler.setFormatter(_formatter(format, terminal=stream.isatty()))
    root = logging.getLogger()
    root.handlers = [other for other in root.handlers if not isinstance(other, _Handler)] + [handler]
    root.setLevel(level.upper())
    logging.captureWarnings(True)
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(max(least, root.level))
    logging.getLogger("aiohttp.server").addFilter(_told_briefly)
    structlog.configure(
        processors=[*_common(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(root.level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,  # a cached logger would keep an older configuration
    )


def _told_briefly(record: logging.LogRecord) -> bool:
    """aiohttp tells what is not HTTP as an error, with a traceback and the bytes, a header's credentials among them. Anybody
    could fill the log, and a cut-off `Authorization` would stand in it."""
    error = record.exc_info[1] if record.exc_info else None
    if type(error).__module__ == "aiohttp.http_exceptions":
        record.msg, record.args, record.exc_info = f"request refused: {type(error).__name__}", (), None
        record.levelno, record.levelname = logging.DEBUG, "DEBUG"
    return record.levelno >= logging.getLogger().level


def redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Mask what is secret and escape what could forge a line, in every value and at any depth."""
    return {escape(name): _clean(name, value) for name, value in event.items()}


def escape(text: str) -> str:
    """The text on one line: line ends, control characters and direction marks as `\\n`, `\\x1b`."""
    return _UNSAFE.sub(lambda found: ascii(found[0])[1:-1], text)


def mask(text: str) -> str:
    """The text without credentials: JWTs and license keys, passwords in URLs, `token=...`, `Bearer ...`."""
    return _NAMED.sub(rf"\1{MASK}", _API_TOKEN.sub(MASK, _JWS.sub(MASK, mask_passwords(text))))


def _common() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        _traced,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]


def _traced(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Which trace it belongs to, where there are some."""
    return {**event, **tracing.ids()}


def _formatter(format: Format, *, terminal: bool) -> logging.Formatter:
    as_json = format == "json" or (format == "auto" and not terminal)
    colors = terminal and not os.environ.get("NO_COLOR")
    drop = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    renderer = [structlog.processors.JSONRenderer()] if as_json else [_indent, _console(colors=colors)]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_common(), processors=[drop, redact, *renderer], use_get_message=True
    )


def _console(*, colors: bool) -> Processor:
    plain = structlog.dev.plain_traceback  # the default shows local variables, secrets among them
    return structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=plain, sort_keys=False)


def _indent(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Set tracebacks off, so that no line of an exception's text can pass for a record."""
    return {
        name: indent(value, "  | ", lambda line: True) if name in _BLOCKS else value
        for name, value in event.items()
    }


_BLOCKS = ("exception", "stack")
"""Texts of several lines; their own line ends stay."""


def _clean(name: str, value: object) -> object:
    match value:
        case None | bool() | int() | float():
            return value
        case _ if _is_sensitive(name):
            return MASK
        case str() if name in _BLOCKS:
            return "\n".join(escape(line) for line in mask(value).split("\n"))
        case Mapping():
            return {escape(str(inner)): _clean(str(inner), part) for inner, part in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_clean(name, part) for part in value]
    return escape(mask(str(value)))


def _is_sensitive(name: str) -> bool:
    words = re.split(r"[^a-z0-9]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower())
    return not SENSITIVE.isdisjoint(words)
