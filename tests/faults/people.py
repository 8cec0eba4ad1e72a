"""Clients of a trial: the real Python client, which notes what it says, hears and believes."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import aiohttp

from seatd_protocol.client import SeatClient
from seatd_protocol.events import Closed, Event, Stopped
from seatd_protocol.messages import Denied, Device, Logout, Welcome
from seatd_protocol.state import State
from seatd_protocol.timing import Timing
from tests.faults.history import History


class Person:
    """One device of one user. `patience`: the share of the usual back-off that it waits, where all times are short."""

    def __init__(
        self,
        history: History,
        http: aiohttp.ClientSession,
        urls: Sequence[str],
        customer: str,
        user: str,
        token: str,
        *,
        device: str = "d1",
        need: Sequence[str] = ("CALL_CENTER",),
        wait_s: int = 0,
        patience: float = 1.0,
    ) -> None:
        self.history = history
        self.customer = customer
        self.user = user
        self.proc = f"{user}/{device}"
        self.welcomes: list[Welcome] = []
        self.ends: list[Closed] = []
        self.logouts = 0
        self._asking = False
        self._vanished = False
        self._session = ""
        self.client = SeatClient(
            urls,
            token,
            Device(kind="desktop", id=device),
            list(need),
            wait_s=wait_s,
            on_event=self._event,
            observe=self._observe,
            http=http,
            timing=Timing(clock=time.monotonic, random=lambda: patience * random.random()),
        )

    async def sign_in(self) -> Welcome | Denied | Closed:
        """The first answer. Later ones come by themselves."""
        self._vanished = False
        try:
            return await self.client.connect()
        except Stopped as stopped:
            return stopped.closed

    def begin(self) -> None:
        """Signs in without waiting for the answer, which may take its time in a queue; tries again when told to."""
        self._signing_in = asyncio.create_task(self.insist())

    async def insist(self, tries: int | None = None) -> Welcome | Denied | Closed:
        """Signs in, and tries again as often as the store is away or recovers (or so many times at the most)."""
        while True:
            answer = await self.sign_in()
            away = isinstance(answer, Denied) and answer.code in ("recovering", "unavailable")
            tries = None if tries is None else tries - 1
            if not away or tries == 0:
                return answer
            await asyncio.sleep(0.2)

    async def bye(self) -> None:
        """A clean end."""
        self._vanished = True  # however the connection ends now
        self._note("ok", "bye", session=self.client.session or "")
        await self.client.bye()

    async def vanish(self) -> None:
        """The client's process ends: no word, and nobody believes anything any more."""
        self._vanished = True
        await self.client.aclose()

    @property
    def live(self) -> bool:
        """Whether it has a connection and a session."""
        return self.client.state is State.LIVE and self.client.session is not None

    @property
    def session(self) -> str:
        """The session that it has, or had last."""
        return self._session

    def _observe(self, record: Mapping[str, object]) -> None:
        session = str(record["session"] or "")
        if record["what"] == "hello":
            self._asking = True
            self._note("invoke", "hello", value={"user": self.user, "resume": session or None})
        seats = [[license_, holder] for _, license_, holder in _seats(record)]
        value = {"seats": seats, "until_s": record["until_s"]}
        self._note("ok", "believes", session=session or self._session, value=value)

    def _event(self, event: Event) -> None:
        match event:
            case Welcome():
                self._asking, self._session = False, event.session
                self.welcomes.append(event)
                value = {"user": self.user, "resumed": event.resumed}
                self._note("ok", "hello", session=event.session, node=event.node, value=value)
            case Denied(ref=None):
                self._asking = False
                self._note("fail", "hello", value={"code": event.code})
            case Logout():
                self.logouts += 1
                self._note("ok", "logout", session=self._session)
            case Closed():
                self._closed(event)
            case _:
                pass

    def _closed(self, event: Closed) -> None:
        if self._asking:
            self._asking = False
            self._note("info", "hello")
        self.ends.append(event)
        value = {
            "code": event.code,
            "reason": event.reason,
            "final": event.retry_in_s is None and not self._vanished,
        }
        self._note("ok", "closed", session=self._session, value=value)

    def _note(self, type_: Literal["invoke", "ok", "fail", "info"], op: str, **fields: Any) -> None:
        self.history.note(self.proc, type_, op, customer=self.customer, **fields)


def _seats(record: Mapping[str, object]) -> list[tuple[str, str, str]]:
    seats = record["seats"]
    assert isinstance(seats, list)
    return seats


async def all_live(people: Sequence[Person], within_s: float) -> bool:
    """Waits until everybody is connected and signed in; False when that takes too long."""
    give_up_s = time.monotonic() + within_s
    while not all(person.live for person in people):
        if time.monotonic() > give_up_s:
            return False
        await asyncio.sleep(0.05)
    return True
