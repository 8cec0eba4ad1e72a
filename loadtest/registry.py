"""What an administrator asks over REST: how many sessions a customer has, and that all of them end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import aiohttp

from loadtest.clients.errors import Unusable


@dataclass(frozen=True)
class Registry:
    """The REST API of a node (`http://HOST:PORT`), as one administrator may use it, for one customer."""

    url: str
    token: str
    customer: str

    async def sessions(self) -> int:
        """How many sessions the server counts. Raises `Unusable`."""
        page = await self._call("GET", "/api/v1/sessions", params={"customer": self.customer, "size": "1"})
        return int(page["total"])

    async def force_out(self) -> None:
        """Ends them all, and lets everybody sign in again at once. Raises `Unusable`."""
        await self._call("POST", "/api/v1/logout", json={"customer": self.customer, "cooldown_s": 0})

    async def _call(self, method: str, path: str, **request: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        try:
            async with (
                aiohttp.ClientSession(headers=headers) as http,
                http.request(method, f"{self.url}{path}", **request) as answer,
            ):
                if answer.status >= 300:
                    raise Unusable(
                        f"the REST API answers {method} {path} with {answer.status}: {await answer.text()}"
                    )
                return await answer.json()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unusable(f"the REST API at {self.url} does not answer: {error}") from None
