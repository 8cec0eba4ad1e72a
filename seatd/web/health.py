"""For load balancers and orchestrators: does the node live, and may it get clients?"""

from __future__ import annotations

from aiohttp import web

from seatd.web.services import SERVICES


async def livez(_request: web.Request) -> web.Response:
    """200 as long as the event loop turns. The store is not asked: restarting a node does not mend it."""
    return web.Response(text="ok\n")


async def readyz(request: web.Request) -> web.Response:
    """200, or 503 with the checks that fail; `?verbose` lists all of them."""
    checks = request.app[SERVICES].hub.checks()
    failing = {name: reason for name, reason in checks.items() if reason}
    shown = checks if "verbose" in request.query else failing
    lines = [f"[-] {name}: {reason}" if reason else f"[+] {name}" for name, reason in shown.items()]
    lines.append("not ready" if failing else "ok")
    return web.Response(status=503 if failing else 200, text="\n".join(lines) + "\n")
