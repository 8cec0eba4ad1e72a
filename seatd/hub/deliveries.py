"""Deliveries to webhooks: claimed from the store, sent, and settled, a few at a time for each receiver.

Every node does this, and none knows of the others: whoever claims a delivery has it for a lease. What a node cannot settle (it
dies, or the store is away) is anybody's again after that, so a receiver may get it twice, under the same id.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog

from seatd.hub.webhook_message import message
from seatd.metrics import Metrics
from seatd.store.redis import Store
from seatd.store.values import StoreUnavailable
from seatd.store.webhook_values import Delivery, Outcome, Webhook

log = structlog.get_logger(__name__)

LOOK_S = 1.0
AT_ONCE = 4
"""Deliveries under way to one receiver from this node."""
RECEIVERS = 64
"""Receivers that this node sends to at once: slots, which lines have in turn, for one portion each."""
SLOTS_EACH = 3
"""Slots of one customer, so that others have theirs. Receivers that failed last time have half of all slots together."""
LEASE_MARGIN_S = 5.0
"""A claim lasts as much longer than a try, so that there is time to settle it."""
WAITS_S = (10.0, 60.0, 600.0, 3600.0, 4 * 3600.0, 12 * 3600.0, 24 * 3600.0)
"""How long it may take to the next try at the most; half of that on the average, so about a day in all."""
TRIES = len(WAITS_S) + 1
REST_S = (1.0, 60.0)
"""A receiver of which nothing gets through is left alone: first so long, then twice as long each time, up to the second."""
DOUBLED = 6
"""So often at the most: that is beyond the second already, and powers of two outgrow any float."""
SWITCHED_OFF = "the webhook is switched off"

Send = Callable[[Webhook, str, bytes], Awaitable[str]]
"""`await send(webhook, id, body)` answers "" when the receiver has it, otherwise why not; it always returns within a try."""
Line = tuple[str, str]
"""Customer and webhook."""
Spawn = Callable[[Coroutine[object, object, None]], None]


@dataclass(slots=True)
class Rest:
    """A receiver that fails: how often in a row, and until when it is left alone."""

    failures: int = 0
    until_s: float = 0.0


class Deliveries:
    """Sends what webhooks are to be told. `try_s`: how long one try takes at the most; `clock` gives monotonic seconds."""

    def __init__(
        self,
        store: Store,
        metrics: Metrics,
        send: Send,
        spawn: Spawn,
        *,
        node: str,
        try_s: float,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._metrics = metrics
        self._send = send
        self._spawn = spawn
        self._node = node
        self._lease_ms = round((try_s + LEASE_MARGIN_S) * 1000)
        self._clock = clock
        self._chance = chance
        self._busy: set[Line] = set()
        self._waiting: dict[Line, None] = {}
        self._ending = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._resting: dict[Line, Rest] = {}

    async def watch(self) -> None:
        """Looks for what is due, for ever."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Begins to send what is due now. Receivers do not wait for each other."""
        now_s = self._clock()
        resting = {line for line, rest in self._resting.items() if rest.until_s > now_s}
        try:
            now_ms = await self._store.time_ms()
            due = await self._store.due_webhooks(now_ms, resting | self._busy | self._waiting.keys())
        except StoreUnavailable:
            return
        self._resting = {
            line: rest
            for line, rest in self._resting.items()
            if rest.until_s > now_s - REST_S[1] or line in self._waiting or line in self._busy
        }
        for line in due:
            if line not in self._busy:
                self._waiting.setdefault(line)
        self._begin()

    async def quiet(self, limit_s: float) -> None:
        """Begins nothing any more, and waits so long at the most for what is under way: it would be sent again, and a try less
        would be left of it."""
        self._ending = True
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await self._idle.wait()

    def _begin(self) -> None:
        """Gives the slots that are free to the lines that have waited longest for one."""
        if self._ending:
            return
        held = Counter(customer for customer, _ in self._busy)
        failing = len(self._busy & self._resting.keys())
        for line in tuple(self._waiting):
            if len(self._busy) >= RECEIVERS:
                return
            fails = line in self._resting
            if held[line[0]] < SLOTS_EACH and not (fails and failing >= RECEIVERS // 2):
                held[line[0]] += 1
                failing += fails
                del self._waiting[line]
                self._busy.add(line)
                self._idle.clear()
                self._spawn(self._serve(line))

    async def _serve(self, line: Line) -> None:
        """Sends one portion of what is due for a receiver. If there may be more, it waits behind all others for its turn."""
        more = False
        try:
            more = await self._portion(line)
        except StoreUnavailable:  # what was claimed comes back by itself
            log.warning("webhook deliveries wait: the store is away", customer=line[0])
        finally:
            self._busy.discard(line)
            if not self._busy:
                self._idle.set()
        if more:
            self._waiting.setdefault(line)
        self._begin()

    async def _portion(self, line: Line) -> bool:
        """Whether there may be more that is worth a try now."""
        customer, webhook = line
        limit = 1 if line in self._resting else AT_ONCE  # whether it is back is tried with one
        claimed = await self._store.claim_deliveries(
            customer, webhook, claim=self._node, lease_ms=self._lease_ms, limit=limit
        )
        hook = claimed.webhook
        if hook is None or not claimed.deliveries:
            return False
        tries = (self._deliver(customer, hook, one) for one in claimed.deliveries)
        ended = await asyncio.gather(*tries, return_exceptions=True)  # the line is busy until all have ended
        sent = [_unless_it_failed(one) for one in ended]
        if not hook.enabled:  # nothing was tried, so it says nothing of the receiver
            self._resting.pop(line, None)
            return True
        self._note(line, sent)
        return any(sent)

    async def _deliver(self, customer: str, hook: Webhook, delivery: Delivery) -> bool:
        """One try; whether it got through."""
        if hook.enabled:
            why = await self._send(hook, delivery.id, message(customer, delivery))
        else:
            why = SWITCHED_OFF
        outcome: Outcome = "delivered"
        if why:
            outcome = "again" if hook.enabled and delivery.tries < TRIES else "dead"
            log.info("webhook not delivered", customer=customer, id=delivery.id, why=why, outcome=outcome)
        self._metrics.webhook_deliveries_total.labels(outcome).inc()
        await self._store.settle_delivery(
            customer, delivery, outcome, wait_ms=self._wait_ms(delivery.tries), error=why
        )
        return not why

    def _wait_ms(self, tries: int) -> int:
        """Full jitter: receivers that come back are not met by everything at once."""
        return round(WAITS_S[min(tries, len(WAITS_S)) - 1] * 1000 * self._chance())

    def _note(self, line: Line, sent: Sequence[bool]) -> None:
        if any(sent):
            self._resting.pop(line, None)
            return
        rest = self._resting.setdefault(line, Rest())
        rest.failures += 1
        rest.until_s = self._clock() + min(REST_S[0] * 2 ** min(rest.failures - 1, DOUBLED), REST_S[1])


def _unless_it_failed(ended: bool | BaseException) -> bool:
    """Whether a try got through. Raises what it has ended with."""
    if isinstance(ended, BaseException):
        raise ended
    return ended
