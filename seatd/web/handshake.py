"""What a WebSocket's opening handshake must be (RFC 6455, 4.2.1), told before the library looks at it.

The library takes drafts of the protocol for it as well, HTTP/1.0, and the first of two keys.
"""

from __future__ import annotations

import base64
import binascii

from aiohttp import HttpVersion11, web

VERSION = "13"
ONCE = ("Sec-WebSocket-Key", "Sec-WebSocket-Version", "Origin")


def fault_of(request: web.Request) -> str:
    """Why there can be no WebSocket; "": it is a handshake."""
    headers = request.headers
    upgrade = headers.get("Upgrade", "").strip().lower()
    connection = {part.strip().lower() for part in headers.get("Connection", "").split(",")}
    if upgrade != "websocket" or "upgrade" not in connection or request.version != HttpVersion11:
        return "this is a WebSocket: ask for an upgrade"
    if any(len(headers.getall(name, [])) > 1 for name in ONCE):
        return "a header of the handshake stands twice"
    if headers.get("Sec-WebSocket-Version") != VERSION:
        return f"only version {VERSION} of WebSocket is spoken"
    if request.can_read_body or not _is_key(headers.get("Sec-WebSocket-Key", "")):
        return "this is no handshake of a WebSocket"
    return ""


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == 16
    except (binascii.Error, ValueError):
        return False
