"""The other workers of a server that has several. An administrator's address is shared by all of them, so whichever gets
a request for metrics or health asks the others, each on a socket of its own, and answers for all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from urllib.parse import quote

from aiohttp import ClientError, ClientSession, ClientTimeout, UnixConnector

PATIENCE_S = 5.0
"""Half of what Prometheus grants a scrape by default."""


class Silence(Enum):
    """Why a worker has not answered."""

    GONE = "is being started"
    HANGS = "does not answer"


Answer = bytes | Silence


class Siblings:
    """`name` is this worker's own; `places` says of every worker, this one too, on which socket it tells of itself."""

    def __init__(self, name: str, places: Mapping[str, Path], *, patience_s: float = PATIENCE_S) -> None:
        self.name = name
        self.places = places
        self._patience_s = patience_s

    @property
    def own(self) -> Path:
        """This worker's socket."""
        return self.places[self.name]

    def __bool__(self) -> bool:
        """Whether there are others."""
        return len(self.places) > 1

    async def ask(self, page: str, *, query: str = "", accept: str = "") -> dict[str, Answer]:
        """What the others say, by name; all are asked at once."""
        others = [name for name in self.places if name != self.name]
        target = f"{page}?{query}" if query else page
        answers = await asyncio.gather(*(self._ask(self.places[name], target, accept) for name in others))
        return dict(zip(others, answers, strict=True))

    async def _ask(self, place: Path, target: str, accept: str) -> Answer:
        timeout = ClientTimeout(total=self._patience_s)
        try:
            async with (
                ClientSession(connector=UnixConnector(str(place)), timeout=timeout) as http,
                http.get(f"http://{quote(place.stem)}{target}", headers={"Accept": accept}) as page,
            ):
                return await page.read() if page.status == 200 else Silence.HANGS
        except TimeoutError:
            return Silence.HANGS
        except (ClientError, OSError):  # nobody listens, or it died while it answered
            return Silence.GONE


ALONE = Siblings("", {})
"""Of a server that is one process."""
