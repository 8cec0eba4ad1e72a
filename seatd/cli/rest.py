"""The REST API of a server, called from the command line. Heavy to import (aiohttp): only within verbs."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import quote

import aiohttp
import msgspec
from yarl import URL

from seatd.cli.access import Access, Server
from seatd.cli.failures import NotAllowed, Refused, Unreachable

Shape = TypeVar("Shape")

TIMEOUT = aiohttp.ClientTimeout(total=60, sock_connect=5)


class FieldError(msgspec.Struct, frozen=True):
    """One thing that is wrong with a request."""

    path: str = ""
    message: str = ""


class ProblemBody(msgspec.Struct, frozen=True):
    """A refusal (RFC 9457), as seatd writes it."""

    code: str
    title: str
    detail: str = ""
    errors: tuple[FieldError, ...] = ()

    def text(self) -> str:
        """The refusal for people: what, why, and every field that is wrong."""
        lines = [f"{self.title} ({self.code})."]
        if self.detail and self.detail != self.title and not self.errors:
            lines.append(f"  {self.detail}")
        lines += [
            f"  {error.path}: {error.message}" if error.path else f"  {error.message}"
            for error in self.errors
        ]
        return "\n".join(lines)


def ask(
    access: Access,
    method: str,
    *path: str,
    query: Mapping[str, str] | None = None,
    body: Mapping[str, object] | None = None,
) -> bytes:
    """The JSON that the server answers to one call. Raises a failure that says what went wrong."""
    return asyncio.run(call(access.server(), method, *path, query=query, body=body))


async def call(
    server: Server,
    method: str,
    *path: str,
    query: Mapping[str, str] | None = None,
    body: Mapping[str, object] | None = None,
) -> bytes:
    """As `ask`, within a running loop. The segments of `path` stand below `/api/v1`."""
    url = URL(f"{server.url}/api/v1/" + "/".join(quote(segment, safe="") for segment in path), encoded=True)
    headers = {"Authorization": f"Bearer {server.token}"}
    try:
        async with (
            aiohttp.ClientSession(timeout=TIMEOUT) as session,
            session.request(
                method, url.extend_query(query or {}), headers=headers, json=body, allow_redirects=False
            ) as response,
        ):
            answer = await response.read()
    except TimeoutError:
        raise Unreachable(f"seatd at {server.url} does not answer.") from None
    except (aiohttp.ClientError, OSError) as error:
        raise Unreachable(f"Cannot reach seatd at {server.url}: {_reason(error)}.") from None
    if response.status >= 300:
        raise _failure(server, response.status, answer)
    return answer


def decoded(answer: bytes, shape: type[Shape]) -> Shape:
    """The answer in its shape."""
    try:
        return msgspec.json.decode(answer, type=shape)
    except msgspec.MsgspecError as error:
        raise Refused(
            f"The server answered something that this seatd does not understand: {error}."
        ) from None


def _failure(server: Server, status: int, answer: bytes) -> Exception:
    try:
        text = msgspec.json.decode(answer, type=ProblemBody).text()
    except (msgspec.MsgspecError, UnicodeDecodeError):
        text = f"{server.url} answered {status}, but not as seatd does; is it the admin address?"
    return NotAllowed(text) if status in (401, 403) else Refused(text)


def _reason(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        error = error.os_error
    text = str(error)
    if isinstance(error, OSError) and error.errno:  # a name that cannot be resolved has a negative one
        text = os.strerror(error.errno) if error.errno > 0 else str(error.strerror)
    return " ".join(text.split()).rstrip(".") or type(error).__name__
