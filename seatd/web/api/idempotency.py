"""`Idempotency-Key`: a write that is sent again with the same key is not done again; it gets the first answer.

The key is the caller's own, with what it may do. An answer that may hold a secret is never kept, so those calls take no key.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Awaitable, Callable
from contextlib import suppress

import msgspec
from aiohttp import web

from seatd.store.idempotency import KeptAnswer
from seatd.store.redis import Store
from seatd.store.values import StoreUnavailable
from seatd.web.caller import Caller
from seatd.web.errors import Problem, invalid

HEADER = "Idempotency-Key"
SECRET_ACTIONS = frozenset({"tokens.change", "administrators.change", "webhooks.change", "profile"})
LONGEST = 16 * 1024
"""An answer that is longer than this, compressed, is not kept; that it was given is."""
RETRY_AFTER_S = 2
DID_NOTHING = frozenset({403, 404, 422})
"""Refusals that are not kept: they would push out the answers of others, and asking again does no harm."""

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def takes_key(method: str, action: str | None) -> bool:
    """Whether a call may be made with a key."""
    return method != "GET" and action is not None and action not in SECRET_ACTIONS


async def once(
    request: web.Request,
    store: Store,
    caller: Caller,
    action: str,
    now_ms: int,
    run: Callable[[], Awaitable[web.StreamResponse]],
    file: bytes | None = None,
) -> web.StreamResponse:
    """The answer of `run`, or the one that it gave when the same was asked with the same key before.

    `file` is the body of a call that reads it by itself."""
    key = request.headers[HEADER]
    if not _KEY.fullmatch(key):
        raise invalid(HEADER, "1 to 255 visible ASCII characters")
    if action in SECRET_ACTIONS:
        raise invalid(HEADER, "not for this call: its answer may hold a secret, which is not kept")
    name, asked = _name(caller, key), await _asked(request, file)
    if known := await store.claim_answer(name, asked, now_ms):
        return _again(known, asked)
    try:
        response = await _answered(run)
    except BaseException:
        with suppress(StoreUnavailable):
            await store.keep_answer(name, None)
        raise
    with suppress(StoreUnavailable):  # it is done, so that is what is answered
        await store.keep_answer(name, _kept(asked, response))
    return response


async def _answered(run: Callable[[], Awaitable[web.StreamResponse]]) -> web.Response:
    """The answer; a refusal is one as well, but for those that anybody could fill the store with."""
    try:
        response = await run()
    except Problem as problem:
        response = problem.response()
        if response.status >= 500 or response.status in DID_NOTHING:
            raise
    assert isinstance(response, web.Response)  # no write answers a file
    return response


def _again(known: KeptAnswer, asked: str) -> web.Response:
    if known.asked != asked:
        raise Problem("idempotency_mismatch")
    if not known.status:
        raise Problem("idempotency_busy", headers={"Retry-After": str(RETRY_AFTER_S)})
    if known.status != 204 and not known.body:
        raise Problem("idempotency_too_long")
    return web.Response(
        status=known.status,
        body=zlib.decompress(known.body) if known.body else None,
        content_type=known.content_type or None,
        headers={"Idempotent-Replayed": "true"},
    )


def _kept(asked: str, response: web.Response) -> KeptAnswer:
    body = zlib.compress(response.body) if isinstance(response.body, bytes) else b""
    return KeptAnswer(
        asked=asked,
        status=response.status,
        content_type=response.content_type if body else "",
        body=body if len(body) <= LONGEST else b"",
    )


def _name(caller: Caller, key: str) -> str:
    """By which the store knows it: nobody else's key is the same, nor the caller's own once it may do something else."""
    who = msgspec.json.encode((caller.via, caller.id, caller.name, caller.grant, key))
    return hashlib.sha256(who).hexdigest()


async def _asked(request: web.Request, file: bytes | None) -> str:
    """What was asked; `file`: the body, where it was read already."""
    body = await request.read() if file is None else file
    said = f"{request.method} {request.rel_url.raw_path_qs}\n".encode() + body
    return hashlib.sha256(said).hexdigest()
