"""One REST call = one typed function. The same types validate, route and become the OpenAPI document.

    ops = Ops("sessions")

    @ops.op("GET", "/api/v1/sessions/{session}", "sessions.read", problems=("unknown_session",))
    async def one_session(call: Call[SessionPath, Nothing, Nothing]) -> SessionView:
        "One live session"

The annotation of `call` names the shapes of path, query and body; the answer's type is that of a 200, None is
a 204. Every call has an action of `rights`, and whoever makes it a grant: there is no way to declare one without. A role that
may do it nowhere is refused before the function is asked; how far it reaches, the function asks `call.scope`.
"""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec
from aiohttp import web

from seatd.web.api.downloads import Download
from seatd.web.api.idempotency import HEADER, once
from seatd.web.api.shapes import Nothing
from seatd.web.caller import Caller, Scope
from seatd.web.errors import Problem, invalid
from seatd.web.rights import RIGHTS
from seatd.web.services import AUTHENTICATOR, SERVICES, Services

Path = TypeVar("Path", bound=msgspec.Struct)
Query = TypeVar("Query", bound=msgspec.Struct)
Body = TypeVar("Body", bound=msgspec.Struct)

MAX_BODY = 2 * 1024 * 1024
_AT = re.compile(r" - at `(?:key in )?\$?\.?(.*)`\Z")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Call(Generic[Path, Query, Body]):
    """One request: checked, typed, by whom, and what is there for it."""

    services: Services
    caller: Caller
    scope: Scope
    path: Path
    query: Query
    body: Body


@dataclass(frozen=True, slots=True)
class Op:
    """A call of the API as declared. `returns` None: a 204; `problems`: codes beyond the general ones."""

    method: str
    url: str
    action: str
    tag: str
    run: Callable[..., Awaitable[object]]
    path: type[msgspec.Struct]
    query: type[msgspec.Struct]
    body: type[msgspec.Struct]
    returns: object | None
    problems: tuple[str, ...]

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
        self, method: str, url: str, action: str, *, problems: tuple[str, ...] = ()
    ) -> Callable[[Callable[..., Awaitable[object]]], Callable[..., Awaitable[object]]]:
        """Declares the function as the call `method url`."""

        def declare(run: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[object]]:
            hints = typing.get_type_hints(run)
            path, query, body = typing.get_args(hints["call"])
            returns = None if hints["return"] is type(None) else hints["return"]
            if not inspect.getdoc(run):
                raise TypeError(f"{run.__name__} says nothing about itself")
            if action not in RIGHTS:
                raise TypeError(f"{run.__name__}: nobody has a right to {action}")
            self.append(Op(method, url, action, self.tag, run, path, query, body, returns, problems))
            return run

        return declare


def handler(op: Op) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The aiohttp handler of a call: who asks first, then what is asked, then the answer."""

    async def handle(request: web.Request) -> web.StreamResponse:
        caller = await caller_of(request)
        services = request.app[SERVICES]
        scope = Scope(services.store, caller.grant, op.action)
        if scope.is_nowhere:
            raise Problem("forbidden")
        call = Call(
            services,
            caller,
            scope,
            _path(request.match_info, op.path),
            _query(request, op.query),
            await _body(request, op.body),
        )

        async def run() -> web.StreamResponse:
            return await _response(request, await op.run(call))

        if op.method == "GET" or HEADER not in request.headers:
            return await run()
        return await once(request, services.store, caller, op.action, services.now_ms(), run)

    return handle


async def _response(request: web.Request, answer: object) -> web.StreamResponse:
    if answer is None:
        return web.Response(status=204)
    if isinstance(answer, Download):
        return await answer.send(request)
    return web.Response(body=msgspec.json.encode(answer), content_type="application/json")


async def caller_of(request: web.Request) -> Caller:
    """Who asks; the problem `unauthenticated` for a stranger."""
    record = await request.app[AUTHENTICATOR].caller(request.headers.get("Authorization"))
    return Caller(name=record.name, grant=record.grant, address=request.remote or "", id=record.id)


def _path(values: Mapping[str, str], shape: type[Path]) -> Path:
    try:
        return msgspec.convert(dict(values), shape, strict=False)
    except msgspec.ValidationError:
        raise Problem("not_found") from None


def _query(request: web.Request, shape: type[Query]) -> Query:
    values = request.query
    repeated = next((name for name in values if len(values.getall(name)) > 1), None)
    if repeated is not None:
        raise invalid(repeated, "given more than once")
    try:
        return msgspec.convert(dict(values), shape, strict=False)
    except msgspec.ValidationError as error:
        raise _invalid(error) from None


async def _body(request: web.Request, shape: type[Body]) -> Body:
    if shape is Nothing:
        return shape()
    if request.content_type != "application/json":
        raise Problem("unsupported_media_type", headers={"Accept": "application/json"})
    try:
        return msgspec.json.decode(await request.read(), type=shape)
    except msgspec.ValidationError as error:
        raise _invalid(error) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Problem("bad_json") from None
    except web.RequestPayloadError:
        raise Problem("bad_request", "The body ends early, or is not coded as its headers say.") from None


def _invalid(error: msgspec.ValidationError) -> Problem:
    """msgspec's sentence, taken apart into place and message."""
    text = str(error)
    if unknown := _UNKNOWN.match(text):
        return invalid(unknown[1][:64], "there is no such field")
    at = _AT.search(text)
    return invalid(at[1] if at else "", text[: at.start()] if at else text)
