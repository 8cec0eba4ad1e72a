"""Fetching a small document from a URL that an operator configured (token keys), without being led astray."""

from __future__ import annotations

import errno
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from seatd.hub.jwks import FetchFailed, refused_address

_CHUNK = 16 * 1024


class GuardedResolver(AbstractResolver):
    """Resolves names, but not to addresses that no request of ours may go to.

    The check is made on the very addresses that are connected to, so a name that answers differently the
    second time gains nothing.
    """

    def __init__(self) -> None:
        self._resolver = ThreadedResolver()

    async def resolve(self, host: str, port: int = 0, *args: Any, **kwargs: Any) -> list[ResolveResult]:
        """The addresses of a host; OSError when one of them is refused."""
        found = await self._resolver.resolve(host, port, *args, **kwargs)
        if any(refused_address(result["host"]) for result in found):
            raise OSError(errno.EACCES, "the name leads to a link-local or metadata address")
        return found

    async def close(self) -> None:
        """Nothing is held open."""
        await self._resolver.close()


async def fetch(url: str, max_bytes: int, timeout_s: float) -> bytes:
    """The body of a 200 answer; `FetchFailed` for everything else. Redirects and proxies are not followed."""
    try:
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(resolver=GuardedResolver(), force_close=True),
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
