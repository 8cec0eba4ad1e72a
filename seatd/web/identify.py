"""Who makes a call: an API token in a header, or a session in a cookie."""

from __future__ import annotations

from aiohttp import web

from seatd.web.address import address_of
from seatd.web.caller import Caller
from seatd.web.origin import refuse_forged
from seatd.web.services import AUTHENTICATOR, CONSOLE
from seatd.web.session_cookie import Jar, csrf_of


async def caller_of(request: web.Request, jar: Jar | None = None, *, is_use: bool = True) -> Caller:
    """Who asks; the problem `unauthenticated` for a stranger. A token counts before a cookie, for no page can make a browser
    send one by itself. Not `is_use`: somebody looks again who asks, which keeps no session from running out."""
    jar = jar or Jar(request)
    authorization = request.headers.get("Authorization")
    if authorization is not None or not jar.secret:
        return await _by_token(request, authorization)
    caller = await request.app[CONSOLE].caller(jar.secret, address_of(request), is_use=is_use)
    refuse_forged(request, csrf_of(jar.secret))
    return caller


async def _by_token(request: web.Request, authorization: str | None) -> Caller:
    record = await request.app[AUTHENTICATOR].caller(authorization)
    return Caller(
        name=record.name,
        grant=record.grant,
        address=address_of(request),
        id=record.id,
        made_by=record.created_by,
        ends_ms=record.expires_ms,
    )
