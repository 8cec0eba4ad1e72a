"""Sending to webhooks: one signed POST, to an address that may be reached, with an end to everything."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

import aiohttp
import msgspec

from seatd import __version__
from seatd.hub.webhook_message import signature
from seatd.store.webhook_values import Webhook
from seatd.web.outgoing import Refused, socket_maker, url_fault
from seatd.web.own_resolver import OwnResolver

ANSWER_BYTES: Final = 16 * 1024
"""So much of an answer is read, so that the receiver can end it in order. What it says does not matter."""
CHUNK: Final = 4096


class WebhookOptions(msgspec.Struct, frozen=True, kw_only=True):
    """`try_s`: how long one try may take, from resolving the name to the answer's end. `allow_private`: receivers may be
    inside; `allow_http`: and need not speak TLS."""

    try_s: float = 10.0
    allow_private: bool = False
    allow_http: bool = False


class WebhookSender:
    """Sends to webhooks. Redirects and proxies are not followed, and no cookies kept."""

    def __init__(
        self, options: WebhookOptions | None = None, *, now_s: Callable[[], float] = time.time
    ) -> None:
        self.options = options or WebhookOptions()
        self._now_s = now_s
        self._resolver = OwnResolver()

    def fault(self, url: str) -> str:
        """Why nothing may be sent to this URL; "": it may, as far as one can tell."""
        options = self.options
        return url_fault(url, allow_private=options.allow_private, allow_http=options.allow_http)

    async def send(self, hook: Webhook, id: str, body: bytes) -> str:
        """ "" when the receiver has it (it answered 2xx), otherwise why not: words that may be shown and logged."""
        if fault := self.fault(hook.url):
            return f"the URL {fault}"
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"seatd/{__version__}",
            "Seatd-Event-Id": id,
            "Seatd-Signature": signature(hook.secret, int(self._now_s()), body),
        }
        try:
            async with asyncio.timeout(self.options.try_s):
                return await self._post(hook.url, headers, body)
        except TimeoutError:
            return "no answer in time"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return _why(error)

    async def _post(self, url: str, headers: dict[str, str], body: bytes) -> str:
        maker = socket_maker(allow_private=self.options.allow_private)
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    socket_factory=maker, force_close=True, resolver=self._resolver
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
            ) as session,
            session.post(url, data=body, headers=headers, allow_redirects=False) as response,
        ):
            await _discard(response.content)
            return "" if 200 <= response.status < 300 else f"it answered {response.status}"


async def _discard(content: aiohttp.StreamReader) -> None:
    read = 0
    async for chunk in content.iter_chunked(CHUNK):
        read += len(chunk)
        if read > ANSWER_BYTES:
            return


def _why(error: Exception) -> str:
    """A sentence without the receiver's own words and without addresses inside."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, Refused):
            return str(cause.strerror)
        cause = getattr(cause, "os_error", None) or cause.__cause__
    match error:
        case aiohttp.InvalidURL():
            return "its URL makes no sense"
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            return "its certificate is not trusted, or it speaks no TLS"
        case aiohttp.ClientConnectorDNSError():
            return "its name leads nowhere"
        case aiohttp.ClientConnectorError():
            return "it cannot be reached"
    return f"the connection broke ({type(error).__name__})"
