"""One REST call = one typed function. The same types validate, route and become the OpenAPI document.

    ops = Ops("sessions")

    @ops.op("GET", "/api/v1/sessions/{session}", "sessions.read", problems=("unknown_session",))
    async def one_session(call: Call[SessionPath, Nothing, Nothing]) -> SessionView:
        "One live session"

The annotation of `call` names the shapes of path, query and body; the answer's type is that of a 200, None is
a 204, `Download` (alone or beside it) a file that is streamed, `EventStream` one that goes on. Every call has an action of
`rights`, and whoever makes it a grant. A role that may do it nowhere is refused before the function is asked; how far it
reaches, the function asks `call.scope`. The few calls that need no caller are declared by `open` and named in `rights.OPEN`:
neither is enough without the other.
"""

from __future__ import annotations

import asyncio
import inspect
import re
import typing
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec
from aiohttp import web
from multidict import MultiMapping

from seatd.web.address import address_of
from seatd.web.api.downloads import Download, Format
from seatd.web.api.event_stream import EventStream
from seatd.web.api.idempotency import HEADER, once
from seatd.web.api.shapes import Nothing
from seatd.web.caller import Caller, Scope
from seatd.web.console import Console
from seatd.web.errors import Problem, invalid
from seatd.web.identify import caller_of
from seatd.web.origin import refuse_foreign_page
from seatd.web.rights import OPEN, RIGHTS
from seatd.web.services import CONSOLE, SERVICES, Services
from seatd.web.session_cookie import Jar

Path = TypeVar("Path", bound=msgspec.Struct)
Query = TypeVar("Query", bound=msgspec.Struct)
Body = TypeVar("Body", bound=msgspec.Struct)

Run = Callable[..., Awaitable[object]]


class CsvBody(msgspec.Struct, frozen=True, kw_only=True):
    """A body that is no JSON but a CSV file, up to 16 MiB."""

    data: bytes


BACKGROUND = "X-Seatd-Background"
"""A page sends this header with what it asks by itself, while nobody does anything: that keeps no session from running out."""
MAX_BODY = 2 * 1024 * 1024
MAX_FILE = 16 * 1024 * 1024
PATIENCE_S, SLOWEST_BYTES_PER_S = 5.0, 50_000
"""A body may take so long, and as long as its bytes take at that rate: who sends one byte by byte would hold a connection for
ever."""
_AT = re.compile(r" - at `(?:key in )?\$?\.?(.*)`\Z")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`\Z", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCall(Generic[Path, Query, Body]):
    """One request, checked and typed, of nobody in particular. `jar` holds the session's cookie, and takes another one."""

    services: Services
    console: Console
    jar: Jar
    address: str
    path: Path
    query: Query
    body: Body


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(OpenCall[Path, Query, Body]):
    """One request: checked, typed, by whom, and what is there for it."""

    caller: Caller
    scope: Scope


@dataclass(frozen=True, slots=True)
class Op:
    """A call of the API as declared. `action` None: it needs no caller; `returns` None: a 204; `problems`: codes beyond the
    general ones."""

    method: str
    url: str
    action: str | None
    tag: str
    run: Callable[..., Awaitable[object]]
    path: type[msgspec.Struct]
    query: type[msgspec.Struct]
    body: type[msgspec.Struct]
    returns: object | None
    problems: tuple[str, ...]
    formats: tuple[Format, ...] = ()

    @property
    def name(self) -> str:
        """The operation's id: the function's name."""
        return self.run.__name__

    @property
    def summary(self) -> str:
        """The first line of the function's docstring."""
        return inspect.getdoc(self.run).partition("\n")[0]  # type: ignore[union-attr]  # `op` checks that it is there


class Ops(list[Op]):
    """The calls of one concept, collected by the decorator."""

    def __init__(self, tag: str) -> None:
        super().__init__()
        self.tag = tag

    def op(
        self,
        method: str,
        url: str,
        action: str,
        *,
        problems: tuple[str, ...] = (),
        formats: tuple[Format, ...] = (),
    ) -> Callable[[Run], Run]:
        """Declares the function as the call `method url`. `formats`: of what kinds its answer may be, where its query has no
        `format` that says so."""

        def declare(run: Run) -> Run:
            if action not in RIGHTS:
                raise TypeError(f"{run.__name__}: nobody has a right to {action}")
            return self._declared(method, url, action, run, problems, formats)

        return declare

    def open(self, method: str, url: str, *, problems: tuple[str, ...] = ()) -> Callable[[Run], Run]:
        """Declares the function as the call `method url` that anybody may make. It must be named in `rights.OPEN`."""

        def declare(run: Run) -> Run:
            if run.__name__ not in OPEN:
                raise TypeError(f"{run.__name__}: rights.OPEN does not say why it needs no caller")
            return self._declared(method, url, None, run, problems)

        return declare

    def _declared(
        self,
        method: str,
        url: str,
        action: str | None,
        run: Run,
        problems: tuple[str, ...],
        formats: tuple[Format, ...] = (),
    ) -> Run:
        hints = typing.get_type_hints(run)
        if not inspect.getdoc(run):
            raise TypeError(f"{run.__name__} says nothing about itself")
        if typing.get_origin(hints["call"]) is not (Call if action else OpenCall):
            raise TypeError(f"{run.__name__} takes a Call, or an OpenCall when it needs no caller")
        path, query, body = typing.get_args(hints["call"])
        returns = None if hints["return"] is type(None) else _as_json(hints["return"])
        op = Op(method, url, action, self.tag, run, path, query, body, returns, problems, formats)
        self.append(op)
        return run


def _as_json(hint: object) -> object:
    """What a call answers as JSON, which may also be had as a file (`Listing[...] | Download`)."""
    kinds = typing.get_args(hint)
    return next(kind for kind in kinds if kind is not Download) if Download in kinds else hint


def handler(op: Op) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The aiohttp handler of a call: who asks first, then what is asked, then the answer."""

    async def handle(request: web.Request) -> web.StreamResponse:
        jar = Jar(request)
        who = await _who(request, op, jar)
        call = (Call if who else OpenCall)(
            services=request.app[SERVICES],
            console=request.app[CONSOLE],
            jar=jar,
            address=address_of(request),
            path=_path(request.match_info, op.path),
            query=read_query(request.query, op.query),
            body=await _body(request, op.body),
            **who,
        )

        async def run() -> web.StreamResponse:
            return await _response(request, await op.run(call), jar)

        if op.action is None or op.method == "GET" or HEADER not in request.headers:
            return await run()
        services = call.services
        if getattr(call.query, "progress", False):
            raise invalid(HEADER, "not with progress: an answer that is told line by line is not kept")
        file = call.body.data if isinstance(call.body, CsvBody) else None
        return await once(request, services.store, who["caller"], op.action, services.now_ms(), run, file)

    return handle


async def _who(request: web.Request, op: Op, jar: Jar) -> dict[str, Any]:
    """The caller and what is there for him; nothing, for a call that needs none."""
    if op.action is None:
        refuse_foreign_page(request)
        return {}
    caller = await caller_of(request, jar, is_use=BACKGROUND not in request.headers)
    scope = Scope(request.app[SERVICES].store, caller.grant, op.action)
    if scope.is_nowhere:
        raise Problem("forbidden")
    if caller.is_held_up and op.action != "profile":
        raise Problem("totp_needed")
    return {"caller": caller, "scope": scope}


async def _response(request: web.Request, answer: object, jar: Jar) -> web.StreamResponse:
    if isinstance(answer, Download | EventStream):
        return await answer.send(request)
    response = web.Response(status=204)
    if answer is not None:
        response = web.Response(body=msgspec.json.encode(answer), content_type="application/json")
    jar.write(response)
    return response


def _is_text(values: Mapping[str, str]) -> bool:
    """Bytes that are not UTF-8 come as halves of surrogate pairs, which nothing can write again."""
    try:
        "".join((*values, *values.values())).encode()
    except UnicodeEncodeError:
        return False
    return True


def _path(values: Mapping[str, str], shape: type[Path]) -> Path:
    if not _is_text(values):
        raise Problem("not_found")
    try:
        return msgspec.convert(dict(values), shape, strict=False)
    except msgspec.ValidationError:
        raise Problem("not_found") from None


def read_query(values: MultiMapping[str], shape: type[Query]) -> Query:
    """A query of this shape, or the problem `invalid`."""
    if not _is_text(values):
        raise invalid("", "the query is not UTF-8")
    repeated = next((name for name in values if len(values.getall(name)) > 1), None)
    if repeated is not None:
        raise invalid(repeated, "given more than once")
    try:
        return msgspec.convert(dict(values), shape, strict=False)
    except msgspec.ValidationError as error:
        raise _invalid(error) from None


async def _body(request: web.Request, shape: type[Body]) -> Body:
    try:
        async with asyncio.timeout(_body_s(request, shape)):
            return await _read_body(request, shape)
    except TimeoutError:
        raise Problem("too_slow") from None


def _body_s(request: web.Request, shape: type[msgspec.Struct]) -> float:
    most = MAX_FILE if issubclass(shape, CsvBody) else MAX_BODY
    announced = request.content_length
    return PATIENCE_S + (most if announced is None else min(announced, most)) / SLOWEST_BYTES_PER_S


async def _read_body(request: web.Request, shape: type[Body]) -> Body:
    if shape is Nothing:
        return shape()
    if issubclass(shape, CsvBody):
        return shape(data=await _file(request))
    if request.content_type != "application/json":
        raise Problem("unsupported_media_type", headers={"Accept": "application/json"})
    try:
        data = await request.read()
    except web.RequestPayloadError:
        raise Problem("bad_request", "The body ends early, or is not coded as its headers say.") from None
    return read_json(data, shape)


def read_json(data: bytes, shape: type[Body]) -> Body:
    """A body of this shape, or the problem `invalid` or `bad_json`."""
    try:
        return msgspec.json.decode(data, type=shape)
    except msgspec.ValidationError as error:
        raise _invalid(error) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Problem("bad_json") from None


async def _file(request: web.Request) -> bytes:
    if request.content_type != "text/csv":
        raise Problem("unsupported_media_type", "The body must be text/csv", headers={"Accept": "text/csv"})
    portions = bytearray()
    async for portion in request.content.iter_any():
        portions += portion
        if len(portions) > MAX_FILE:
            raise Problem("body_too_large")
    return bytes(portions)


def _invalid(error: msgspec.ValidationError) -> Problem:
    """msgspec's sentence, taken apart into place and message."""
    text = str(error)
    if unknown := _UNKNOWN.match(text):
        return invalid(unknown[1][:64], "there is no such field")
    at = _AT.search(text)
    return invalid(at[1] if at else "", text[: at.start()] if at else text)
