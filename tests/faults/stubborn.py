"""A client that stays on its connection whatever happens, where the real one would leave and come back elsewhere."""

from __future__ import annotations

import asyncio
import time

from seatd_protocol.codec import CODECS
from seatd_protocol.messages import Denied, Logout, Resume, ServerMessage, Welcome
from tests.faults.history import History
from tests.places import LOOPBACK, Place
from tests.scenarios import websocket
from tests.scenarios.client import Client, Closed
from tests.scenarios.company import Company
from tests.scenarios.websocket import WebSocket


class Stubborn:
    """One connection of one device; what it believes is noted by the same lease rule as the real client's.

    `closed_at`, `logout_at`: when its end, or a forced logout, came (the trial's clock); None: not yet.
    """

    def __init__(
        self,
        history: History,
        company: Company,
        name: str,
        *,
        device: str = "d1",
        place: Place = LOOPBACK,
    ) -> None:
        self.place = place
        self.history = history
        self.company = company
        self.name = name
        self.device = device
        self.proc = f"{company.user(name)}/{device}"
        self.closed_at: float | None = None
        self.code: int | None = None
        self.logout_at: float | None = None
        self.welcome: Welcome | None = None
        self.denied: Denied | None = None
        self.client: _Noting | None = None
        self.ended = asyncio.Event()

    async def connect(self, address: str, *, resume: Resume | None = None, acks: bool = True) -> None:
        """Connects and says hello; `welcome` or `denied` is then the answer, or `closed_at` is set."""
        self.closed_at = self.code = self.logout_at = self.welcome = self.denied = None
        self.ended.clear()
        socket = await websocket.upgrade(address, place=self.place)
        assert isinstance(socket, WebSocket), socket
        client = _Noting.over(self, socket, acks=acks)
        self.client = client
        token = self.company.token(self.name, ttl_s=100_000)
        hello = self.company.hello(self.name, "CALL_CENTER", device=self.device, token=token, resume=resume)
        value = {"user": self.company.user(self.name), "resume": resume.session if resume else None}
        self._note("invoke", "hello", value=value)
        await client.sign_in(hello)
        if isinstance(client.first, Welcome):
            self.welcome = client.first
        elif isinstance(client.first, Denied):
            self.denied = client.first
            self._note("fail", "hello", value={"code": client.first.code})
        else:
            self._note("info", "hello")

    @property
    def resume(self) -> Resume:
        """What a later hello shows."""
        assert self.welcome is not None
        return Resume(session=self.welcome.session, secret=self.welcome.secret)

    @property
    def session(self) -> str:
        """The session of the last welcome."""
        return self.welcome.session if self.welcome else ""

    @property
    def beats(self) -> int:
        """Beats of this connection."""
        return self.client.beats if self.client else 0

    @property
    def connected(self) -> bool:
        """Whether it has a session and has not heard of its end."""
        return self.welcome is not None and self.closed_at is None

    def drop(self) -> None:
        """Cuts the connection without a word; its beliefs go on to the end of its lease."""
        if self.client:
            self.client.drop()
        self.closed_at = self.closed_at or time.monotonic()

    def forget(self) -> None:
        """Its person has let go of it all."""
        self.drop()
        self._note("ok", "believes", session=self.session, value={"seats": [], "until_s": None})

    async def wait_closed(self, within_s: float) -> bool:
        """Waits for the end; False when it does not come."""
        try:
            async with asyncio.timeout(within_s):
                await self.ended.wait()
        except TimeoutError:
            return False
        return True

    def heard(self, client: Client, message: ServerMessage, believed_until_s: float) -> None:
        """Something came. What an older connection still hears says nothing any more."""
        if client is not self.client:
            return
        match message:
            case Welcome():
                self.welcome = message
                value = {"user": self.company.user(self.name), "resumed": message.resumed}
                self._note("ok", "hello", session=message.session, node=message.node, value=value)
            case Logout():
                self.logout_at = time.monotonic()
                self._note("ok", "logout", session=self.session)
                believed_until_s = 0.0
            case _:
                pass
        if self.welcome is not None:
            seats = [[seat.license, seat.holder] for seat in self.welcome.seats] if believed_until_s else []
            value = {"seats": seats, "until_s": believed_until_s or None}
            self._note("ok", "believes", session=self.session, value=value)

    def closed(self, client: Client, code: int) -> None:
        """A connection has ended."""
        if client is not self.client:
            return
        self.closed_at, self.code = time.monotonic(), code
        value = {"code": code, "reason": str(code), "final": False}
        self._note("ok", "closed", session=self.session, value=value)
        self.ended.set()

    def _note(self, type_: str, op: str, **fields: object) -> None:
        self.history.note(self.proc, type_, op, customer=self.company.name, **fields)  # type: ignore[arg-type]


class _Noting(Client):
    """Tells its owner what it hears."""

    owner: Stubborn

    @classmethod
    def over(cls, owner: Stubborn, socket: WebSocket, *, acks: bool) -> _Noting:
        client = cls(socket, CODECS["seatd.v1.msgpack"], acks=acks)
        client.owner = owner
        return client

    async def _note(self, message: ServerMessage) -> None:
        await super()._note(message)
        self.owner.heard(self, message, self.believed_until_s)

    async def _read(self) -> None:
        await super()._read()
        heard = [self._inbox.get_nowait() for _ in range(self._inbox.qsize())]
        for message in heard:  # still there for whoever waits for an answer
            self._inbox.put_nowait(message)
        end = heard[-1] if heard else None
        self.owner.closed(self, end.code if isinstance(end, Closed) else 1006)
