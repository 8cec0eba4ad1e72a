"""One connected client: what it says, what it is told, and how it ends.

The conversation's order is the protocol's table; the rules of seats are the store's. This file is the way between them.
"""

from __future__ import annotations

import asyncio
import math
import time
from typing import TYPE_CHECKING

import structlog

from seatd.hub import requests, sign_in
from seatd.hub.outbox import Outbox
from seatd.hub.rate import Bucket
from seatd.hub.reassertion import held_by
from seatd.hub.tickets import Vouched
from seatd.hub.tokens import BadToken, Identity
from seatd.hub.transport import Transport
from seatd.store.values import Denied, Ended, Order
from seatd.tracing import span
from seatd_protocol import codes
from seatd_protocol.codec import BadMessage, Codec
from seatd_protocol.codes import CloseCode
from seatd_protocol.messages import (
    Ack,
    Acquire,
    Alive,
    Beat,
    Busy,
    Bye,
    ClientMessage,
    Device,
    Hello,
    Logout,
    Notice,
    Refresh,
    Release,
    Seat,
    ServerMessage,
    TakeOver,
    type_of,
)
from seatd_protocol.state import Conversation, IllegalMessage, State

if TYPE_CHECKING:
    from seatd.hub.hub import Hub

log = structlog.get_logger(__name__)

FLUSH_S = 1.0
"""How long a closing socket has for what is still unsent."""


class Session:
    """A client's socket and, from `welcome` on, its session in the store.

    `key` is the session's id, `fence` the proof that it is ours; `stored` is False on the emergency path without a store.
    `need` are the products without which it ends. `welcomed` is False while it waits in the queue; `counted_as` is the
    state in which the metrics have it. `known_busy` is what the store knows of `busy`; `asked_s` is when the client was
    last told that somebody waits; `vouched` is what its last ticket says; `denied_by_store` is the store's last denial.
    """

    __slots__ = (
        "__weakref__",
        "_alive_n",
        "_beat_n",
        "_bucket",
        "_losing",
        "_ordered_out",
        "_outbox",
        "_replaced",
        "_told",
        "_transport",
        "_warned",
        "asked_s",
        "busy",
        "closing",
        "codec",
        "connected_s",
        "conversation",
        "counted_as",
        "denied_by_store",
        "device",
        "fence",
        "hub",
        "identity",
        "key",
        "known_busy",
        "need",
        "seats",
        "secret",
        "since_ms",
        "stored",
        "vouched",
        "welcomed",
    )
    identity: Identity
    device: Device

    def __init__(self, hub: Hub, transport: Transport, codec: Codec) -> None:
        self.hub = hub
        self.codec = codec
        self.conversation = Conversation()
        self.connected_s = time.monotonic()
        self.key = ""
        self.secret = ""
        self.fence = 0
        self.stored = False
        self.since_ms = 0
        self.seats: dict[str, Seat] = {}
        self.need: tuple[str, ...] = ()
        self.vouched: Vouched | None = None
        self.busy = False
        self.known_busy = False
        self.asked_s = -math.inf
        self.welcomed = False
        self.counted_as = ""
        self.denied_by_store: Denied | None = None
        self.closing: CloseCode | None = None
        self._transport = transport
        self._outbox = Outbox(transport, hub.options.outbox_bytes)
        self._bucket = Bucket(hub.options.messages_per_s, hub.options.burst)
        self._beat_n = 0
        self._alive_n = 0
        self._warned = False
        self._losing: tuple[int, int] | None = None
        self._ordered_out: Order | None = None
        self._told = False
        self._replaced = False

    # -- in ---------------------------------------------------------------------------------------

    async def receive(self, frame: bytes | str) -> None:
        """Takes one frame from the client and does what it asks; bad ones close the socket with the reason."""
        if not self.admits():
            return
        try:
            message = self.codec.decode_client(frame)
            leaving = self.leaving
            self.conversation.received(type_of(message))
            # What crosses a logout on the wire was said in good faith: it is let pass.
            if isinstance(message, Alive):  # too many to be traced
                await self._handle(message)
            elif not leaving or isinstance(message, Ack | Bye):
                with span(f"client {type_of(message)}"):
                    await self._handle(message)
        except BadMessage as error:
            self.close(codes.BAD_MESSAGE, error.reason)
        except IllegalMessage as error:
            if error.second_hello:
                self.close(codes.SECOND_HELLO)
            else:
                self.close(codes.BAD_MESSAGE, str(error))
        except BadToken as error:
            log.info("token refused", reason=error.reason)
            if not self.leaving:
                self.close(codes.BAD_TOKEN)
        except Exception:
            log.exception("request failed")
            self.close(codes.INTERNAL)

    def admits(self) -> bool:
        """Whether a further frame is listened to; a client that sends too many is closed."""
        if self.closing is None and not self._bucket.take():
            self.close(codes.RATE_LIMITED)
        return self.closing is None

    async def _handle(self, message: ClientMessage) -> None:
        match message:
            case Alive(n=n):
                self._alive(n)
            case Hello():
                await sign_in.hello(self, message)
            case Acquire():
                async with self.hub.shares.of(self.identity.customer):
                    await requests.acquire(self, message)
            case Release():
                async with self.hub.shares.of(self.identity.customer):
                    await requests.release(self, message)
            case Busy(busy=busy):
                self.busy = busy
                await self.hub.policies.tell_busy(self)
            case Refresh(token=token):
                await requests.refresh(self, token)
            case TakeOver():
                await requests.take_over(self, message)
            case Ack(order=order):
                await self._acknowledged(order)
            case Bye():
                await self._bye()

    # -- out --------------------------------------------------------------------------------------

    def send(self, message: ServerMessage) -> None:
        """Queues a message; never waits."""
        if not self.closing:
            self.conversation.sent(type_of(message))
            if not self._outbox.put(self.codec.encode(message)):
                self.close(codes.SLOW_CONSUMER)

    def close(self, code: CloseCode, detail: str = "") -> None:
        """Closes the socket, after what is queued; only the first reason counts."""
        if self.closing is None:
            self.closing = code
            self.hub.wheel.remove(self)
            self.hub.spawn(self._close(code.number, code.reason(detail)))

    async def _close(self, number: int, reason: str) -> None:
        if await self._outbox.finish(FLUSH_S):
            await self._transport.close(number, reason)
        else:
            self._transport.abort()

    # -- live -------------------------------------------------------------------------------------

    @property
    def live(self) -> bool:
        """Whether the client may use the session."""
        return self.conversation.state is State.LIVE

    @property
    def is_gone(self) -> bool:
        """Whether there is nobody any more who could be answered."""
        return self.closing is not None or self._transport.lost

    @property
    def leaving(self) -> bool:
        """Whether the session is on its way out: the client has said `bye`, or was told a `logout`."""
        return self.conversation.state is State.LEAVING

    @property
    def beats(self) -> bool:
        """Whether the client is sent beats: it uses the session, or waits in the queue for its first seats."""
        return self.conversation.state in (State.LIVE, State.WAITING)

    @property
    def partition(self) -> int:
        """The partition of the session's customer."""
        return self.hub.store.partition(self.identity.customer)

    @property
    def sections(self) -> tuple[str, ...]:
        """What the session's products open, in the catalogue's order."""
        return self.hub.catalog.sections(self.seats)

    def hold(self, seats: tuple[Seat, ...]) -> None:
        """These are the session's seats now."""
        self.seats = {seat.product: seat for seat in seats}

    def loses(self, order: int) -> None:
        """The client is being told that it has lost seats: its answer to the next beat says that it knows."""
        self._losing = (order, self._beat_n + 1)

    def beat(self) -> None:
        """Sends the next beat, unless the client has missed one or this node may not speak for it."""
        if not self.beats:
            return
        if self._alive_n < self._beat_n:
            self.close(codes.NO_ALIVE)
        elif self._token_is_good() and self._lease_is_good():
            self._beat_n += 1
            lease_s = int(self.hub.options.client_lease_s)
            self.send(Beat(n=self._beat_n, lease_s=lease_s, ticket=self.hub.tickets.renewal(self)))

    def _alive(self, n: int) -> None:
        if n > self._beat_n:
            raise BadMessage("alive answers no beat")
        self._alive_n = max(self._alive_n, n)
        if self._losing and self._losing[1] <= n:
            self.hub.spawn(self.hub.policies.confirm(self, self._losing[0]))
            self._losing = None
        if self.busy != self.known_busy:
            self.hub.spawn(self.hub.policies.tell_busy(self))

    def _lease_is_good(self) -> bool:
        if not self.stored or self.hub.leases.may_beat(self.partition):
            return True
        if self.hub.leases.lapsed_s(self.partition) > self.hub.options.client_lease_s:
            self.close(codes.STORE_LOST)
        return False

    def _token_is_good(self) -> bool:
        left_s = self.identity.expires_s - time.time()
        if left_s <= -self.hub.options.token_leeway_s:
            self.close(codes.TOKEN_EXPIRED)
            return False
        if left_s <= self.hub.options.token_warning_s and not self._warned:
            self._warned = True
            until_ms = self.identity.expires_s * 1000
            text = f"Your token ends in {max(0, math.ceil(left_s))} s."
            self.send(Notice(code="token_expiring", message=text, until_ms=until_ms))
        return True

    def renew_token(self, identity: Identity) -> None:
        """Goes on under a newer token of the same user."""
        self.identity = identity
        self._warned = False

    # -- the end ----------------------------------------------------------------------------------

    def force_out(self, order: Order) -> None:
        """Carries out a forced logout: tells the client, and closes at its ack or when its time is over."""
        if self._ordered_out:
            return
        self._ordered_out = order
        self.hub.queue.forget(self)
        if self.closing:  # whatever it is closed for: its end is the order's receipt
            return
        self._told = True
        self.hub.wheel.remove(self)
        self.send(
            Logout(
                order=order.number,
                code=order.code,
                message=order.message,
                by=order.by or None,
                cooldown_s=order.cooldown_s,
            )
        )
        asyncio.get_running_loop().call_later(self.hub.options.ack_s, self.close, self._out)

    @property
    def ended(self) -> Ended:
        """The session's end, as it is remembered."""
        order = self._ordered_out
        return Ended(
            user=self.identity.user,
            session=self.key,
            fence=self.fence,
            cooldown_ms=order.cooldown_s * 1000 if order else 0,
            device=order.device if order else None,
        )

    def note_recovery(self) -> None:
        """Says that the store is being checked."""
        if self.live:
            text = "The seat store is being checked. Your seats are kept; nothing new is granted meanwhile."
            self.send(Notice(code="store_recovering", message=text))

    @property
    def _out(self) -> CloseCode:
        ended = self._ordered_out is not None and self._ordered_out.code == "license_ended"
        return codes.LICENSE_ENDED if ended else codes.LOGOUT

    def replace(self) -> None:
        """The session lives elsewhere now, or its user ended it: closes the socket."""
        self._replaced = True
        self.close(codes.REPLACED)

    async def _acknowledged(self, number: int) -> None:
        order = self._ordered_out
        if order is None or order.number != number:
            raise BadMessage("ack answers no logout")
        await self._end_in_store(acknowledged=True)
        self.close(self._out)

    async def _bye(self) -> None:
        self.hub.queue.forget(self)
        await self._end_in_store()
        self.close(codes.NORMAL)

    async def _end_in_store(self, *, acknowledged: bool = False) -> None:
        if self.stored:
            self.stored = False
            await self.hub.departures.end(self, delivered=self._told, acknowledged=acknowledged)

    async def gone(self, *, let_go: bool) -> None:
        """The socket is gone (the web layer says so, once): keeps the seats for a resume, or ends the session.

        `let_go`: the client has closed it itself. One that was ordered out and merely vanished may go on believing in its
        seats until its lease is over: they stay taken until the store's deadline for that. A waiter that closes of its own
        accord leaves the queue; one that we have closed (to move it, say) finds its place again.
        """
        left = let_go and self.closing is None
        self.closing = self.closing or codes.GOING_AWAY
        held = held_by(self) if self.stored else None
        self.hub.remove(self)
        waited = not self.welcomed  # it has no seats that its client could believe in
        if self._ordered_out or self._replaced or (waited and left):
            if let_go or waited:
                await self._end_in_store()
        elif held is not None:
            self.stored = False
            await self.hub.departures.park(self, held)
