"""An administrator's browser, as far as an attacker's page can make it act: it has the cookie, and sends what a page says."""

from __future__ import annotations

from typing import Any

from tests.attacks.operators import Operator, Reply
from tests.servers import Server

PASSWORD = "correct horse battery staple"


class Browser:
    """Signs in at `server`. `cookie` is what the browser keeps, `csrf` what only the console's own page knows."""

    def __init__(self, server: Server) -> None:
        self._stranger = Operator(server, "")
        self.cookie = ""
        self.csrf = ""

    async def sign_in(self, name: str, password: str = PASSWORD, **headers: str) -> Reply:
        """Signs in; a cookie that comes is kept."""
        with_cookie = {"Cookie": self.cookie} if self.cookie else {}
        body = {"name": name, "password": password}
        reply = await self._stranger.call("POST", "/sign-in", body, headers={**with_cookie, **headers})
        if reply.status == 200:
            self.cookie = reply.headers["set-cookie"].partition(";")[0]
            self.csrf = reply.json["csrf"]
        return reply

    async def by_page(self, method: str, path: str, body: object = None, **request: Any) -> Reply:
        """A call that the console's own page makes."""
        headers = {"Cookie": self.cookie, "X-Seatd-CSRF": self.csrf, **request.pop("headers", {})}
        return await self._stranger.call(method, path, body, headers=headers, **request)

    async def by_attacker(self, method: str, path: str, body: object = None, **request: Any) -> Reply:
        """A call that another page makes: with the cookie (should a browser send it), without what the page knows."""
        headers = {"Cookie": self.cookie, **request.pop("headers", {})}
        return await self._stranger.call(method, path, body, headers=headers, **request)
