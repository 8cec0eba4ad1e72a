"""What this node may be the last one to know, should the store lose its last writes.

Ends of sessions, forced logouts and their cool-downs, and sessions that have lost their socket here and may come back.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, TypeVar

import msgspec

from seatd.store.values import Ended, Forced, Held, KickedSession, Order

Item = TypeVar("Item")
Known = Mapping[str, list[Item]]
"""By customer."""


class Remembered(NamedTuple):
    """An end, until it may be forgotten; `allowed_s` is when its user may come back."""

    forget_s: float
    allowed_s: float
    ended: Ended


class Idle(NamedTuple):
    """A session without socket, and when (by the time that the store has been there) its linger is over."""

    until_s: float
    held: Held


class Memory:
    """Ends are kept for `remember_s` and as long as their cool-down, sessions without socket for their linger.

    `served_s` tells the time that the store has been there for a customer: what is kept for a client does not run out while
    it is away.
    """

    def __init__(self, *, remember_s: float, linger_s: float, served_s: Callable[[str], float]) -> None:
        self._remember_s = remember_s
        self._linger_s = linger_s
        self._served_s = served_s
        self._ends: dict[tuple[str, str], Remembered] = {}
        self._idle: dict[tuple[str, str], Idle] = {}

    def ended(self, customer: str, ended: Ended) -> None:
        """A session has ended for good, or a user (`session` None) is refused for a while.

        That a session was ordered out says less than that it has ended: an end that is known stays. But that it was ordered
        out is not forgotten with its end: a client that tries to come back may be quicker than those who know.
        """
        now_s = time.monotonic()
        allowed_s = now_s + ended.cooldown_ms / 1000
        key = (customer, ended.session or f"{ended.user} {ended.device or ''}")
        known = self._ends.get(key)
        if known is not None and ended.forced is None and known.ended.forced is not None:
            forced, device = known.ended.forced, known.ended.device
            ended = msgspec.structs.replace(ended, forced=forced, device=device, let_go=True)
            allowed_s = max(allowed_s, known.allowed_s)
        if known is None or ended.forced is None or ended.let_go or _may_be_held(known.ended):
            self._ends[key] = Remembered(max(now_s + self._remember_s, allowed_s), allowed_s, ended)
        self._idle.pop(key, None)

    def ordered(self, order: Order) -> None:
        """An order to force a session out has come."""
        self._forced(
            order.customer,
            order.session,
            order.fence,
            Forced(
                code=order.code,
                message=order.message,
                by=order.by,
                cooldown_s=order.cooldown_s,
                user=order.user,
                device=order.device,
                product=order.product,
            ),
        )

    def kicked(self, customer: str, sessions: Iterable[KickedSession], forced: Forced) -> None:
        """This node has forced sessions out. `forced.user` is whom it meant, if it was one; `device`: only that device."""
        for item in sessions:
            device = item.device.id if forced.device is not None else None
            said = msgspec.structs.replace(forced, user=item.user, device=device)
            self._forced(customer, item.session, item.fence, said)
        if forced.user and forced.cooldown_s:
            self.ended(customer, Ended(user=forced.user, cooldown_ms=forced.cooldown_s * 1000))

    def not_ended(self, customer: str, session: str) -> None:
        """What was taken for an end was none: the session lives elsewhere.

        One that was ordered out can live only because the store has lost the order: that is not forgotten.
        """
        known = self._ends.pop((customer, session), None)
        if known is not None and known.ended.forced is not None:
            ended = msgspec.structs.replace(known.ended, let_go=False)
            self._ends[customer, session] = known._replace(ended=ended)

    def parked(self, customer: str, held: Held) -> None:
        """A session has lost its socket here."""
        self._idle[customer, held.session] = Idle(self._served_s(customer) + self._linger_s, held)

    def back(self, customer: str, session: str) -> None:
        """A session has a socket here again."""
        self._idle.pop((customer, session), None)

    def ends(self, wanted: Callable[[str], bool]) -> Known[Ended]:
        """All ends of the customers `wanted`, with what is left of their cool-downs."""
        self.forget()
        now_s, found = time.monotonic(), defaultdict(list)
        for (customer, _), (_, allowed_s, ended) in self._ends.items():
            if wanted(customer):
                left_ms = max(0, round((allowed_s - now_s) * 1000))
                found[customer].append(msgspec.structs.replace(ended, cooldown_ms=left_ms))
        return found

    def idle(self, wanted: Callable[[str], bool]) -> Known[Held]:
        """All sessions without socket of the customers `wanted`, with what is left of their linger."""
        self.forget()
        found = defaultdict(list)
        for (customer, _), (until_s, held) in self._idle.items():
            if wanted(customer):
                left_ms = max(1, round((until_s - self._served_s(customer)) * 1000))
                found[customer].append(msgspec.structs.replace(held, left_ms=left_ms))
        return found

    def _forced(self, customer: str, session: str, fence: int, forced: Forced) -> None:
        cooldown_ms = forced.cooldown_s * 1000
        user, device = forced.user, forced.device
        ended = Ended(
            user=user, session=session, fence=fence, cooldown_ms=cooldown_ms, device=device, forced=forced
        )
        self.ended(customer, ended)

    def forget(self) -> None:
        """Lets go of what is over."""
        now_s = time.monotonic()
        self._ends = {key: item for key, item in self._ends.items() if item.forget_s > now_s}
        idle = self._idle.items()
        self._idle = {key: item for key, item in idle if item.until_s > self._served_s(key[0])}


def _may_be_held(ended: Ended) -> bool:
    """Whether it was ordered out, and that is all that is known."""
    return ended.forced is not None and not ended.let_go
