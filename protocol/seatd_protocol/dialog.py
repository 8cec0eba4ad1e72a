"""One connection of a client, from `hello` to its end: what must be answered, and who waits for what."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress

from msgspec.structs import replace

from seatd_protocol.codes import MOVING, NORMAL
from seatd_protocol.events import Closed, Disconnected
from seatd_protocol.holding import Holding
from seatd_protocol.link import PROTOCOL_ERROR, Link
from seatd_protocol.messages import (
    Ack,
    Acquire,
    Alive,
    Beat,
    Changed,
    ClientMessage,
    Denied,
    Granted,
    Hello,
    Logout,
    Moving,
    Queued,
    Release,
    Released,
    ServerMessage,
    TakeOver,
    Welcome,
    type_of,
)
from seatd_protocol.state import Conversation, IllegalMessage, State
from seatd_protocol.timing import Timing

# The last beat confirmed a lease that runs to C minus one beat after it. With the usual C of three beats, half
# a beat is left then to resume elsewhere without a gap.
_SILENT_BEATS = 1.5


class Dialog:
    """A conversation over one link. `heard` is told every message once its facts are noted."""

    def __init__(
        self, link: Link, holding: Holding, timing: Timing, heard: Callable[[ServerMessage], Awaitable[None]]
    ) -> None:
        self._link = link
        self._holding = holding
        self._timing = timing
        self._heard = heard
        self._conversation = Conversation()
        self._pending: dict[int, asyncio.Future[ServerMessage]] = {}
        self._children: set[asyncio.Task[None]] = set()

    @property
    def state(self) -> State:
        """Where this conversation stands."""
        return self._conversation.state

    async def run(self, hello: Hello) -> Closed:
        """Say hello, listen to the end, leave nothing behind. Cancelling closes the connection."""
        try:
            self._holding.hello_sent()
            await self.tell(self._fitting(hello))
            return await self._listen()
        finally:
            await self._end()

    async def send(self, message: ClientMessage) -> None:
        """Raises `IllegalMessage` if it may not be said now, `ValueError` if too large, `Disconnected`."""
        frame = self._link.frame(message)
        self._conversation.sent(type_of(message))
        await self._link.send(frame)

    async def tell(self, message: ClientMessage) -> None:
        """Send from within the listening loop: if the connection has ended, the loop learns why."""
        with suppress(Disconnected):
            await self.send(message)

    async def ask(self, request: Acquire | Release | TakeOver) -> ServerMessage:
        """Send a request and wait for what answers its `ref`. Raises `Disconnected`."""
        answer: asyncio.Future[ServerMessage] = asyncio.get_running_loop().create_future()
        self._pending[request.ref] = answer
        try:
            await self.send(request)
            return await answer
        finally:
            self._pending.pop(request.ref, None)

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        """Do something beside the listening; it ends with the connection."""
        child = asyncio.create_task(work)
        self._children.add(child)
        child.add_done_callback(self._children.discard)

    def _fitting(self, hello: Hello) -> Hello:
        """A hello that is too large with its ticket goes without: it helps only after the server has lost data."""
        try:
            self._link.frame(hello)
        except ValueError:
            resume = hello.resume and replace(hello.resume, ticket=None)
            return replace(hello, resume=resume)
        return hello

    async def _listen(self) -> Closed:
        while not isinstance(heard := await self._link.receive(self._silence_s()), Closed):
            try:
                self._conversation.received(type_of(heard))
            except IllegalMessage as illegal:
                return await self._link.close(PROTOCOL_ERROR, f"the server sent {illegal}")
            if self.state is State.LEAVING and not isinstance(heard, Beat | Logout):
                continue  # it crossed our `bye`, or the `logout`: nothing is held any more
            await self._note(heard)
            self._settle(heard)
            await self._heard(heard)
        return heard

    async def _note(self, message: ServerMessage) -> None:
        match message:
            case Beat():
                self._holding.beat_received(message)
                await self.tell(Alive(n=message.n))
            case Welcome():
                self._holding.welcomed(message)
            case Granted():
                self._holding.granted(message)
            case Changed():
                self._holding.changed(message)
            case Released():
                self._holding.released(message)
            case Denied(ref=None) if self.state is State.OPENING:
                self._holding.denied()
            case Queued() if self.state is State.WAITING:
                self._holding.queued()
            case Logout():
                self._holding.ended("logout")
                await self.tell(Ack(order=message.order))
            case Moving():
                self.spawn(self._move(message.after_ms / 1000))
            case _:
                pass

    def _settle(self, message: ServerMessage) -> None:
        """Hand an answer to whoever asked. A `queued` is not the answer yet."""
        ref = getattr(message, "ref", None)
        answer = self._pending.get(ref) if ref is not None and type_of(message) != "queued" else None
        if answer is not None and not answer.done():
            answer.set_result(message)

    async def _move(self, after_s: float) -> None:
        await self._timing.sleep(after_s)
        await self._link.close(MOVING.number, MOVING.slug)

    def _silence_s(self) -> float:
        if self._timing.silence_s is not None:
            return self._timing.silence_s
        if self.state is State.LIVE and self._holding.beat_s is not None:
            return max(1.0, self._holding.beat_s * _SILENT_BEATS)
        # A waiter is not told how often beats come, only how long they hold.
        return max(self._timing.answer_s, self._holding.lease.lease_s)

    async def _end(self) -> None:
        self._conversation.closed()
        for answer in self._pending.values():
            if not answer.done():
                answer.set_exception(Disconnected("the connection ended before the answer"))
                answer.exception()  # retrieved: whoever asked may be gone
        for child in self._children:
            child.cancel()
        try:
            await self._link.close(NORMAL.number, NORMAL.slug)
        finally:
            await asyncio.gather(*self._children, return_exceptions=True)
