"""Administrators for tests: put into the store, signed in, and what a browser of theirs would send."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from seatd.store.access_values import EVERYTHING, Grant
from seatd.store.administrator_values import Administrator
from seatd.store.administrators import changed
from seatd.store.audit_values import SYSTEM, Change, Deed
from seatd.web.passwords import Passwords
from seatd.web.services import CONSOLE
from seatd.web.session_cookie import csrf_of
from seatd.web.totp import STEP_S, code_at
from tests.web.conftest import CHEAP, NOW_MS, Site

PASSWORD = "correct horse battery staple"
TOTP = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
HASH = Passwords(CHEAP)._hashed(PASSWORD.encode())


def code_now(off_steps: int = 0, now_ms: int = NOW_MS) -> str:
    """The one-time code of TOTP, so many steps from now."""
    return code_at(TOTP, now_ms // 1000 // STEP_S + off_steps)


@dataclass
class Browser:
    """Somebody's browser: it sends the cookie, and the page sends the header."""

    site: Site
    secret: str

    def request(self, **headers: str) -> dict[str, Any]:
        """Cookie and headers of a call that the console makes."""
        cookies = {"Cookie": f"seatd={self.secret}", "X-Seatd-CSRF": csrf_of(self.secret)}
        return {"headers": {**cookies, **headers}}

    async def call(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **request: Any
    ) -> tuple[int, Any]:
        """Status and JSON of a call; a cookie that is set is kept."""
        self.site.admin.session.cookie_jar.clear()  # each browser has its own
        who = self.request(**(headers or {}))
        async with self.site.admin.request(method, f"/api/v1/{path}", **who, **request) as response:
            if "seatd" in response.cookies:
                self.secret = response.cookies["seatd"].value
            text = await response.text()
            return response.status, json.loads(text) if text else None


async def administrator(site: Site, name: str = "root", *grants: Grant, **fields: Any) -> Administrator:
    """An administrator (of everything, when no grant is given) with PASSWORD."""
    store = site.services.store
    made = Administrator(
        name=name, grants=grants or (EVERYTHING,), password_hash=HASH, created_ms=1, generation=1
    )
    made = replace(made, **fields)

    async def decide() -> Sequence[Change]:
        return [changed(await store.administrator(name), made)]

    await store.amend(None, Deed(by=SYSTEM, action="test"), decide)
    return made


async def signed_in(site: Site, who: Administrator) -> Browser:
    """A session of theirs."""
    return Browser(site, await site.admin.app[CONSOLE].begin(who, "127.0.0.1"))


async def sign_in(site: Site, headers: dict[str, str] | None = None, **body: str) -> tuple[int, Any, str]:
    """Status, JSON and the secret that was set ("" when none was)."""
    site.admin.session.cookie_jar.clear()
    async with site.admin.post("/api/v1/sign-in", json=body, headers=headers) as response:
        cookie = response.cookies.get("seatd")
        return response.status, json.loads(await response.text()), cookie.value if cookie else ""
