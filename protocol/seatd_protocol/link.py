"""One WebSocket that speaks one sub-protocol: whole messages in and out, and one word on why it ended."""

import asyncio
import re
from collections.abc import Sequence
from typing import Self

import aiohttp
from aiohttp import WSMsgType
from multidict import CIMultiDict
from yarl import URL

from seatd_protocol.codec import CODECS, MAX_SERVER_FRAME, BadMessage
from seatd_protocol.codes import Action, action_of
from seatd_protocol.events import ABNORMAL, NO_STATUS, Closed, Disconnected
from seatd_protocol.messages import ClientMessage, ServerMessage

PATH = "/v1/connect"
PROTOCOL_ERROR = 1002  # RFC 6455, 7.4.1

# How long to wait for the other side's close frame: it has nothing left to say to us.
_CLOSE_S = 1.0


class Link:
    """An open connection. Whatever goes wrong is told by `receive`, as a `Closed`."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, subprotocol: str) -> None:
        self._socket = socket
        self._codec = CODECS[subprotocol]
        self._ours: Closed | None = None

    @classmethod
    async def open(
        cls, http: aiohttp.ClientSession, url: URL, subprotocol: str, limit_s: float
    ) -> Self | Closed:
        """Connect and upgrade within `limit_s`, or say why not."""
        try:
            async with asyncio.timeout(limit_s):
                socket = await http.ws_connect(
                    url,
                    protocols=(subprotocol,),
                    compress=0,
                    max_msg_size=MAX_SERVER_FRAME + 1,  # aiohttp refuses what reaches its limit
                    timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_S),
                )
        except aiohttp.WSServerHandshakeError as error:
            return _refused(error)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return _closed(ABNORMAL, f"cannot connect: {type(error).__name__}")
        if socket.protocol != subprotocol:
            await socket.close()
            return Closed(400, f"the server does not speak {subprotocol}", Action.NEVER)
        return cls(socket, subprotocol)

    def frame(self, message: ClientMessage) -> bytes | str:
        """The frame of a message. Raises `ValueError` if it is too large."""
        return self._codec.encode(message)

    async def send(self, frame: bytes | str) -> None:
        """Raises `Disconnected` if the connection has ended; `receive` then says why."""
        try:
            if isinstance(frame, str):
                await self._socket.send_str(frame)
            else:
                await self._socket.send_bytes(frame)
        except (aiohttp.ClientError, OSError) as error:
            raise Disconnected("the connection has ended") from error

    async def receive(self, silence_s: float) -> ServerMessage | Closed:
        """The next message, or the end. Nothing for `silence_s` is an end too: the peer is gone."""
        try:
            async with asyncio.timeout(silence_s):
                frame = await self._socket.receive()
        except TimeoutError:
            return await self.close(ABNORMAL, f"nothing heard for {silence_s:g} s")
        if frame.type in (WSMsgType.TEXT, WSMsgType.BINARY):
            try:
                return self._codec.decode_server(frame.data)
            except BadMessage as bad:
                return await self.close(PROTOCOL_ERROR, f"the server sent a bad message: {bad.reason}")
        return self._ours or _end(frame)

    async def close(self, code: int, reason: str) -> Closed:
        """End the connection. The first close decides what is told, here and to the server."""
        self._ours = self._ours or _closed(code, reason)
        # What must not go on the wire is told as a plain end.
        wire = 1000 if self._ours.code == ABNORMAL else self._ours.code
        await self._socket.close(code=wire)
        return self._ours


def endpoints(urls: Sequence[str]) -> list[URL]:
    """Where to connect: each URL as it is, with the contract's path if it has none. Raises `ValueError`."""
    parsed = [URL(url) for url in urls]
    if not parsed or any(url.scheme not in ("ws", "wss", "http", "https") or not url.host for url in parsed):
        raise ValueError("a server's URL begins with wss://, ws://, https:// or http://")
    return [url if url.path.strip("/") else url.with_path(PATH) for url in parsed]


def _closed(code: int, reason: str) -> Closed:
    return Closed(code, reason, action_of(code))


def _end(frame: aiohttp.WSMessage) -> Closed:
    """Only a close frame carries a code; aiohttp calls a bare end of the stream 1000, which it is not."""
    if frame.type is WSMsgType.CLOSE:
        return _closed(frame.data or NO_STATUS, frame.extra or "")
    if isinstance(frame.data, aiohttp.WebSocketError):
        return _closed(frame.data.code, "the server sent a bad frame")
    return _closed(ABNORMAL, "the connection broke")


def _refused(error: aiohttp.WSServerHandshakeError) -> Closed:
    """Refused before the upgrade: 400 and 403 will not change, anything else (429, 503) may after a while."""
    action = Action.NEVER if error.status in (400, 403) else Action.RECONNECT
    wait = CIMultiDict(error.headers or {}).get("Retry-After", "")
    wait_s = float(wait) if re.fullmatch("[0-9]{1,5}", wait) else 0.0
    return Closed(error.status, f"the upgrade was refused with {error.status}", action, wait_s)
