"""`SeatClient`: signs in, stays signed in, and knows at any moment whether its seats may be used.

    async with SeatClient("wss://seats.example", token, device, ["CALL_CENTER"]) as client:
        match await client.connect():
            case Welcome():
                ...  # work, as long as client.usable_until_s is not None
            case Denied() as denied:
                print(denied.message)

It answers beats, confirms a forced logout at once, and comes back after a broken connection as the
close code says (`codes`, `backoff`), resuming its session. What it holds is `holding`, one connection
of it `dialog`, the socket itself `link`.
"""

import asyncio
import dataclasses
import itertools
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from typing import Self

import aiohttp
import msgspec

from seatd_protocol.backoff import Backoff
from seatd_protocol.codec import CODECS
from seatd_protocol.codes import NORMAL, Action
from seatd_protocol.dialog import Dialog
from seatd_protocol.events import ABNORMAL, Closed, Disconnected, Event, Events, RequestRefused, Stopped
from seatd_protocol.holding import Holding, Observer
from seatd_protocol.link import Link, endpoints
from seatd_protocol.messages import (
    Acquire,
    Beat,
    Busy,
    Bye,
    Denied,
    Device,
    Error,
    Granted,
    Hello,
    Logout,
    Moving,
    Notice,
    Refresh,
    Release,
    Released,
    Seat,
    ServerMessage,
    Sessions,
    TakeOver,
    Welcome,
)
from seatd_protocol.state import IllegalMessage, State
from seatd_protocol.timing import Timing
from seatd_protocol.tokens import TokenProvider, Tokens

_log = logging.getLogger("seatd.client")


class SeatClient:
    """One device of one user, signed in at a seatd server.

    `urls`: one or more nodes (`wss://host:port`; without a path it is the contract's), tried in turn.
    `token`: a JWT, or an async function that answers a fresh one. `device`, `need`, `want`, `wait_s`,
    `allow_unseated`: as in `hello`.

    `on_event` is called with every `Event`; without it, read `events()`. `observe` is called with a
    record of what the client believes to hold whenever that changes (see `holding.Observer`). `http`
    lets many clients share one `aiohttp.ClientSession`, or one with a proxy or TLS settings of its own.
    """

    def __init__(
        self,
        urls: str | Sequence[str],
        token: str | TokenProvider,
        device: Device,
        need: Sequence[str],
        *,
        want: Sequence[str] = (),
        wait_s: int = 0,
        allow_unseated: bool = False,
        subprotocol: str = "seatd.v1.msgpack",
        on_event: Callable[[Event], None] | None = None,
        observe: Observer | None = None,
        http: aiohttp.ClientSession | None = None,
        timing: Timing | None = None,
    ) -> None:
        if subprotocol not in CODECS:
            raise ValueError(f"unknown sub-protocol; there are {', '.join(CODECS)}")
        self._urls = itertools.cycle(endpoints([urls] if isinstance(urls, str) else urls))
        self._hello = Hello(
            token="",
            device=device,
            need=tuple(need),
            want=tuple(want),
            wait_s=wait_s,
            allow_unseated=allow_unseated,
        )
        self._subprotocol = subprotocol
        self._on_event = on_event
        self._http = http
        self._timing = timing or Timing()
        self._tokens = Tokens(token, self._timing.clock)
        self._holding = Holding(self._timing.clock, observe)
        self._refs = itertools.count(1)
        self._task: asyncio.Task[None] | None = None
        self._reset()

    def _reset(self) -> None:
        """What begins anew with each `connect`."""
        self._backoff = Backoff(self._timing.random)
        self._dialog: Dialog | None = None
        self._events = Events(self._on_event)
        self._denied: Denied | None = None
        self._final = Closed(NORMAL.number, "closed by the client", Action.DONE)
        self._over = False
        self._busy = False
        self._not_before_s = -float("inf")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    # What the client knows

    @property
    def state(self) -> State:
        """Where the conversation stands; CLOSED while there is no connection."""
        return self._dialog.state if self._dialog else State.CLOSED

    @property
    def session(self) -> str | None:
        """The session's id, while there is one."""
        return self._holding.session

    @property
    def seats(self) -> tuple[Seat, ...]:
        """The seats held; whether they may be used is `usable_until_s`."""
        return self._holding.seats

    @property
    def sections(self) -> tuple[str, ...]:
        """The application areas that the seats open."""
        return self._holding.sections

    @property
    def usable_until_s(self) -> float | None:
        """Until when the seats may be used, on the client's clock (`Timing.clock`); None: not now.

        It goes on through a broken connection, to the end of the lease, and ends at once with a logout.
        """
        return self._holding.until_s

    # From sign-in to the end

    async def connect(self) -> Welcome | Denied:
        """Sign in, waiting in the queue and through broken connections as long as it takes.

        Raises `Stopped` if a close code forbids to go on. Cancelling it ends the client.
        """
        if self._task is not None and not self._task.done():
            raise RuntimeError("already connected")
        if self._task is not None:
            self._reset()
        self._opened: asyncio.Future[Welcome | Denied] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._live(self._opened), name="seatd client")
        try:
            return await self._opened
        except asyncio.CancelledError:
            await self.aclose()
            raise

    async def bye(self) -> None:
        """Sign out cleanly: the seats are free at once."""
        self._over = True
        try:
            if self._dialog is not None and self._task is not None:
                self._holding.ended("bye")
                with suppress(Disconnected, IllegalMessage):
                    await self._dialog.send(Bye())
                    await asyncio.wait({self._task}, timeout=self._timing.bye_s)
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        """Drop the connection and stop. Without `bye`, the server keeps the seats for its linger time."""
        if self._task is not None:
            await asyncio.sleep(
                0
            )  # cancelled before its first step, it would never come to its end, and tell nobody
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def wait_closed(self) -> Closed:
        """Wait until the client has stopped for good; answers why."""
        if self._task is None:
            raise RuntimeError("not connected")
        await asyncio.wait({self._task})
        return self._final

    def events(self) -> Events:
        """Every event of this sign-in, to the `Closed` with which the client stops: `async for event in ...`."""
        return self._events

    # Requests in a session

    async def acquire(self, products: Sequence[str], *, wait_s: int = 0) -> Granted | Denied:
        """Ask for further products. With `wait_s` it may queue: `Queued` comes as an event meanwhile.

        Raises `Disconnected` or `RequestRefused`, as all requests do.
        """
        answer = await self._ask(Acquire(ref=next(self._refs), products=tuple(products), wait_s=wait_s))
        if not isinstance(answer, Granted | Denied):
            raise _unexpected(answer)
        return answer

    async def release(self, products: Sequence[str]) -> Released:
        """Give products back. They may not be used from this call on, whatever the answer."""
        self._live_dialog()
        self._holding.giving_back(products)
        try:
            answer = await self._ask(Release(ref=next(self._refs), products=tuple(products)))
        finally:
            self._holding.given_back(products)
        if not isinstance(answer, Released):
            raise _unexpected(answer)
        return answer

    async def take_over(self, session: str) -> Sessions:
        """End another session of the same user; answers the sessions that are left."""
        answer = await self._ask(TakeOver(ref=next(self._refs), session=session))
        if not isinstance(answer, Sessions):
            raise _unexpected(answer)
        return answer

    async def refresh(self, token: str) -> None:
        """Show a new token of the same user now, and in every `hello` from now on."""
        self._tokens.given(token)
        if self._dialog is not None and self.state in (State.OPENING, State.WAITING, State.LIVE):
            await self._dialog.send(Refresh(token=token))

    async def busy(self, busy: bool) -> None:
        """A call starts or ends. Said again by itself after every `welcome` while it is true."""
        self._busy = busy
        if self._dialog is not None and self.state is State.LIVE:
            await self._dialog.tell(Busy(busy=busy))

    async def _ask(self, request: Acquire | Release | TakeOver) -> ServerMessage:
        answer = await self._live_dialog().ask(request)
        if isinstance(answer, Error):
            raise RequestRefused(answer)
        return answer

    def _live_dialog(self) -> Dialog:
        if self._dialog is None or self.state is not State.LIVE:
            raise Disconnected("there is no session")
        return self._dialog

    # One connection after another

    async def _live(self, opened: asyncio.Future[Welcome | Denied]) -> None:
        """The client's one task. However it ends, whoever waits is told, and nothing is believed any more."""
        failure: Exception | None = None
        try:
            self._final = await self._run()
        except Exception as error:
            failure = error
            self._final = Closed(ABNORMAL, f"the client failed: {type(error).__name__}", Action.NEVER)
            if opened.done():
                _log.exception("the client failed")
        finally:
            self._holding.ended("stopped")
            self._events.put(self._final)
            self._events.end()
            if self._denied is not None and failure is None and not opened.done():
                opened.set_result(self._denied)
            if not opened.done():
                opened.set_exception(failure or Stopped(self._final))

    async def _run(self) -> Closed:
        http: AbstractAsyncContextManager[aiohttp.ClientSession]
        http = nullcontext(self._http) if self._http is not None else aiohttp.ClientSession()
        async with http as session:
            while True:
                closed = self._plan(await self._connection(session))
                if closed.retry_in_s is None:
                    return closed
                self._events.put(closed)
                await self._timing.sleep(closed.retry_in_s)

    async def _connection(self, http: aiohttp.ClientSession) -> Closed:
        self._denied = None
        try:
            token = await self._tokens.current()
        except Exception as error:  # whatever the application raises, the next attempt may work
            return Closed(ABNORMAL, f"no token: {type(error).__name__}", Action.RECONNECT)
        link = await Link.open(http, next(self._urls), self._subprotocol, self._timing.connect_s)
        if isinstance(link, Closed):
            return link
        self._dialog = Dialog(link, self._holding, self._timing, self._heard)
        hello = msgspec.structs.replace(self._hello, token=token, resume=self._holding.resume)
        return await self._dialog.run(hello)

    def _plan(self, closed: Closed) -> Closed:
        """What the end of a connection means: when to come back, or that it is over."""
        linger_s = self._holding.linger_s
        delay_s = None if self._over else self._backoff.delay_s(closed.action, linger_s=linger_s)
        if closed.action is Action.NEW_TOKEN:
            self._tokens.spent()
            delay_s = delay_s if self._tokens.renewable else None
        if delay_s is None:
            self._holding.ended("closed")
            return closed
        told_s = self._not_before_s - self._timing.clock()
        return dataclasses.replace(closed, retry_in_s=max(delay_s, closed.wait_s, told_s))

    async def _heard(self, message: ServerMessage) -> None:
        match message:
            case Beat():
                self._backoff.settled()
                return
            case Welcome():
                await self._welcomed(message)
            case Denied(ref=None):
                self._denied = message
            case Logout():
                self._over = True
            case Moving():
                self._not_before_s = self._timing.clock() + message.after_ms / 1000
            case Notice(code="token_expiring") if self._tokens.renewable and self._dialog is not None:
                self._dialog.spawn(self._renew())
            case _:
                pass
        self._events.put(message)

    async def _welcomed(self, welcome: Welcome) -> None:
        self._tokens.lasts(welcome.token_ttl_s)
        if self._busy and self._dialog is not None:
            await self._dialog.tell(Busy(busy=True))
        if not self._opened.done():
            self._opened.set_result(welcome)

    async def _renew(self) -> None:
        try:
            await self.refresh(await self._tokens.fresh())
        except Disconnected:
            pass  # the next hello carries it
        except Exception as error:
            _log.warning("no new token: %s", type(error).__name__)


def _unexpected(answer: ServerMessage) -> Disconnected:
    return Disconnected(f"the server answered with {type(answer).__name__}")
