"""Headers that every answer of the admin listener carries."""

from __future__ import annotations

from http import HTTPStatus

from aiohttp import web

# A page that needs more (the console: its own scripts and styles) sets its own policy; nobody may frame it.
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


async def secure(_request: web.Request, response: web.StreamResponse) -> None:
    """For `on_response_prepare`: adds what the handler has not set itself. An upgrade is no page that a browser could show,
    frame or keep; its headers stay in memory as long as its socket does, so it goes without (2 KiB for each session)."""
    if response.status != HTTPStatus.SWITCHING_PROTOCOLS:
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)
    response.headers["Server"] = "seatd"  # aiohttp has named itself and Python with their versions
