"""Where a call from a browser comes from: only our own pages may make one that changes something."""

from __future__ import annotations

import hmac

from aiohttp import web

from seatd.web.errors import Problem

CSRF_HEADER = "X-Seatd-CSRF"
READS = ("GET", "HEAD")

PUBLIC_URL = web.AppKey("public_url", str)
"""Where browsers reach the console when something stands before it; "" when nothing does."""


def is_secure(request: web.Request) -> bool:
    """Whether the browser speaks TLS, to us or to what stands before us."""
    return request.secure or request.app[PUBLIC_URL].startswith("https://")


def refuse_foreign_page(request: web.Request) -> None:
    """The problem `cross_site` when a browser says that another page makes the call. What is no browser says nothing."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in ("same-origin", "none"):
        raise Problem("cross_site", "Another page makes this call.")
    origin = request.headers.get("Origin")
    if origin is not None and origin.lower() != _own_origin(request):
        raise Problem("cross_site", f"The Origin is not that of this server, {_own_origin(request)}.")


def refuse_forged(request: web.Request, csrf: str) -> None:
    """The same for a call by cookie, which must also bring what only our own page was told."""
    if request.method in READS:
        return
    refuse_foreign_page(request)
    given = request.headers.get(CSRF_HEADER, "")
    if not hmac.compare_digest(given.encode(), csrf.encode()):
        raise Problem("cross_site", f"Send the header {CSRF_HEADER} with what GET /api/v1/profile answers.")


def _own_origin(request: web.Request) -> str:
    public = request.app[PUBLIC_URL]
    return public.rstrip("/").lower() if public else f"{request.scheme}://{request.host}".lower()
