"""Fetching a small document from a URL that an operator configured (token keys), without being led astray."""

from __future__ import annotations

import aiohttp

from seatd.hub.jwks import FetchFailed
from seatd.web.outgoing import socket_maker

_CHUNK = 16 * 1024


async def fetch(url: str, max_bytes: int, timeout_s: float) -> bytes:
    """The body of a 200 answer; `FetchFailed` for everything else. Redirects and proxies are not followed, and no socket is
    made for a link-local or metadata address, however it is written or whichever name leads to it."""
    try:
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    socket_factory=socket_maker(allow_private=True), force_close=True
                ),
                timeout=aiohttp.ClientTimeout(total=timeout_s),
                cookie_jar=aiohttp.DummyCookieJar(),
            ) as session,
            session.get(url, allow_redirects=False, headers={"Accept": "application/json"}) as response,
        ):
            if response.status != 200:
                raise FetchFailed(f"status {response.status}")
            return await _body(response.content, max_bytes)
    except TimeoutError:
        raise FetchFailed("no answer in time") from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise FetchFailed(f"{type(error).__name__}: {error}") from None


async def _body(content: aiohttp.StreamReader, max_bytes: int) -> bytes:
    """Counted after decompression, so a small answer cannot unfold into a large one."""
    body = bytearray()
    async for chunk in content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > max_bytes:
            raise FetchFailed(f"more than {max_bytes} bytes")
    return bytes(body)
