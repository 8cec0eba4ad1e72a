"""A virtual client: says hello, answers beats and logouts, asks for seats; what it goes through is recorded."""

from __future__ import annotations

import asyncio
import time

from loadtest.clients.answers import ANSWER_S, Answers
from loadtest.clients.connection import Connection, Place, Refused
from loadtest.clients.ends import BUSY, is_expected, is_lost
from loadtest.clients.terms import Terms as Terms
from seatd_protocol.codec import CODECS, BadMessage, Codec
from seatd_protocol.messages import (
    Ack,
    Acquire,
    Alive,
    Beat,
    Bye,
    Changed,
    ClientMessage,
    Denied,
    Device,
    Error,
    Granted,
    Hello,
    Logout,
    Queued,
    Release,
    Released,
    Resume,
    ServerMessage,
    Welcome,
)


class VirtualClient:
    """The `number`-th. `welcome` is its session, while it has one or may come back to it; `waits` while it is in the queue;
    `source`: which of the addresses it connects from, counted on beyond the last to the first; `asked_to_wait_s`: how long the
    last refusal of an upgrade asked it to stay away."""

    __slots__ = (
        *(
            "_answers",
            "_codec",
            "_connection",
            "_ended",
            "_live",
            "_ref",
            "_ticket",
            "_told",
            "_wanted_close",
        ),
        *("asked_to_wait_s", "number", "source", "terms", "waits", "welcome"),
    )

    def __init__(self, terms: Terms, number: int) -> None:
        self.terms = terms
        self.number = self.source = number
        self.welcome: Welcome | None = None
        self.waits = False
        self.asked_to_wait_s = 0.0
        self._codec: Codec = CODECS[terms.protocol]
        self._connection: Connection | None = None
        self._answers = Answers()
        self._ended: asyncio.Future[None] | None = None
        self._ref = 0
        self._ticket: str | None = None
        self._live = False
        self._told = False
        self._wanted_close = False

    @property
    def connected(self) -> bool:
        """Whether it has a session on a connection."""
        return self._live

    @property
    def present(self) -> bool:
        """Whether it has a connection, with a session or without."""
        return self._connection is not None

    # -- what it does -----------------------------------------------------------------------------

    async def sign_in(
        self,
        *,
        since_s: float | None = None,
        resume: bool = False,
        wait_s: int = 0,
        place: Place | None = None,
        step: str = "sign-in",
    ) -> bool:
        """Connects and says hello; whether it has a session, or a place in the queue. `since_s`: when it should have begun;
        `place`: which node, else they take turns; `step`: as what it is noted, when it is not to be mixed with others."""
        began_s = since_s or time.perf_counter()
        place = place or self.terms.places[self.number % len(self.terms.places)]
        return await self._sign_in("resume" if resume else step, place, began_s, resume, wait_s)

    async def move(self, place: Place, *, since_s: float | None = None, step: str = "move") -> bool:
        """Takes its session along to another node, as a phone that changes networks; whether it has it there."""
        return await self._sign_in(step, place, since_s or time.perf_counter(), True, 0)

    async def _sign_in(self, step: str, place: Place, began_s: float, resume: bool, wait_s: int) -> bool:
        recorder, before = self.terms.recorder, self.welcome if resume else None
        if not await self._connect(place):
            return False
        if step == "sign-in":
            recorder.took("connect", began_s)
        answer = await self._ask(None, self._hello(before, wait_s))
        if isinstance(answer, Welcome):
            recorder.took(step, began_s)
            self._compare(before, answer)
        elif isinstance(answer, Denied):
            recorder.count(f"denied {answer.code}")
        return isinstance(answer, Welcome | Queued)

    def _compare(self, before: Welcome | None, after: Welcome) -> None:
        """Who comes back has the session that he had, and its seats."""
        if before is None:
            return
        if after.session != before.session:
            self.terms.recorder.count("error session lost")
        elif not {seat.product for seat in after.seats}.issuperset(self.terms.need):
            self.terms.recorder.count("error seats lost")

    def _hello(self, before: Welcome | None, wait_s: int) -> Hello:
        return Hello(
            token=self.terms.token(self.number),
            device=Device(kind="desktop", id=f"load-{self.number}"),
            need=self.terms.need,
            wait_s=wait_s,
            resume=self._resume(before),
        )

    def _resume(self, before: Welcome | None) -> Resume | None:
        if before is None:
            return None
        return Resume(session=before.session, secret=before.secret, ticket=self._ticket)

    async def _connect(self, place: Place) -> bool:
        sources, recorder = self.terms.sources, self.terms.recorder
        source = sources[self.source % len(sources)] if sources else None
        self.asked_to_wait_s = 0.0
        try:
            connection = await Connection.open(
                place, self.terms.protocol, self._heard, self._ended_of, source, self.terms.ca
            )
        except Refused as error:
            self.asked_to_wait_s = error.wait_s
            recorder.count(f"{'' if error.status in BUSY else 'error '}refused HTTP {error.status}")
        except (OSError, TimeoutError) as error:
            recorder.count(f"error connect: {type(error).__name__}")
        else:
            self._let_go()
            self._connection = connection
            self._wanted_close = self._told = False
            return True
        return False

    async def acquire(self, *products: str, since_s: float | None = None) -> bool:
        """Asks for further products; whether it has them. `since_s`: when it should have asked."""
        return await self._request("acquire", Acquire(ref=self._next(), products=products), Granted, since_s)

    async def release(self, *products: str) -> bool:
        """Gives products back. The ticket names more than is held then; a later beat brings another one."""
        self._ticket = None
        return await self._request("release", Release(ref=self._next(), products=products), Released)

    async def _request(
        self,
        step: str,
        message: Acquire | Release,
        wanted: type[Granted] | type[Released],
        since_s: float | None = None,
    ) -> bool:
        began_s = since_s or time.perf_counter()
        answer = await self._ask(message.ref, message)
        if isinstance(answer, Denied | Error):
            self.terms.recorder.count(f"denied {answer.code}")
        elif isinstance(answer, wanted):
            self.terms.recorder.took(step, began_s)
        return isinstance(answer, wanted)

    def bye(self) -> None:
        """Ends its session."""
        self._wanted_close = True
        self._say(Bye())

    async def leave(self, *, since_s: float | None = None) -> bool:
        """Says goodbye and waits until the server has closed; whether it has. `since_s`: when it should have been said."""
        began_s = since_s or time.perf_counter()
        self._ended = asyncio.get_running_loop().create_future()
        self.bye()
        done, _ = await asyncio.wait([self._ended], timeout=ANSWER_S)
        self._ended = None
        if done:
            self.terms.recorder.took("goodbye", began_s)
        else:
            self.terms.recorder.count("error goodbye not answered")
        return bool(done)

    def drop(self) -> None:
        """Loses its connection; it may come back to its session."""
        self._wanted_close = True
        if self._connection is not None:
            self._connection.cut()

    # -- what it hears ----------------------------------------------------------------------------

    def _heard(self, payload: bytes) -> None:
        try:
            message = self._codec.decode_server(payload if self._codec.binary else payload.decode())
        except (BadMessage, UnicodeDecodeError):
            self.terms.recorder.count("error not understood")
            self.drop()
        else:
            self._take(message)

    def _take(self, message: ServerMessage) -> None:
        match message:
            case Beat():
                self._ticket = message.ticket or self._ticket
                self._say(Alive(n=message.n))
            case Changed():
                self._ticket = None
            case Welcome():
                self._welcomed(message)
            case Queued():
                self.waits = True
                self._answers.give(None, message)
            case Logout():
                self._logged_out(message)
            case Denied() | Granted() | Released() | Error():
                self._answers.give(message.ref, message)

    def _welcomed(self, message: Welcome) -> None:
        self.welcome, self._ticket, self.waits = message, message.ticket, False
        if not self._live:
            self._live = True
            self.terms.recorder.changed(1)
        if self.terms.on_welcome is not None:
            self.terms.on_welcome(self)
        self._answers.give(None, message)

    def _logged_out(self, message: Logout) -> None:
        if self.terms.asked_s:
            self._told = True
            self.terms.recorder.took("logout told", self.terms.asked_s)
        else:
            self.terms.recorder.count(f"error logged out: {message.code}")
        self._say(Ack(order=message.order))

    def _ended_of(self, code: int) -> None:
        recorder, was_live = self.terms.recorder, self._live
        self._connection = None
        self.waits = False
        if was_live:
            self._live = False
            recorder.changed(-1)
        if self._told:
            recorder.took("logout closed", self.terms.asked_s)
        wanted, comes_back = self._wanted_close, self.terms.on_lost is not None
        expected = is_expected(code, was_live=was_live, wanted=wanted, comes_back=comes_back)
        recorder.count(f"closed {code}" if expected else f"error closed {code}")
        self._answers.none()
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)
        if self.terms.on_lost is not None and is_lost(code, was_live=was_live, wanted=wanted):
            self.terms.on_lost(self)

    def _let_go(self) -> None:
        """What still comes over a connection before this one no longer concerns it."""
        if self._connection is not None:
            self._connection.forget()
            self._connection = None

    # -- asking -----------------------------------------------------------------------------------

    async def _ask(self, ref: int | None, message: ClientMessage) -> ServerMessage | None:
        return await self._answers.after(ref, lambda: self._say(message), self.terms.recorder)

    def _say(self, message: ClientMessage) -> None:
        if self._connection is not None:
            self._connection.send(self._codec.encode(message))

    def _next(self) -> int:
        self._ref += 1
        return self._ref
