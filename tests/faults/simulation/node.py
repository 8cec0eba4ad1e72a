"""A node of the simulation: answers for its clients as long as its lease, timed by its own clock, says that it may."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from seatd_protocol.lease import NodeLease
from tests.faults.simulation.bugs import Bug
from tests.faults.simulation.ledger import Engine, Ledger, Memory, Report, Waiter
from tests.faults.simulation.wire import Wire

if TYPE_CHECKING:
    from tests.faults.simulation.world import World

TIMEOUT_S = 1.5


class Unknown(Exception):
    """The store gave no answer: whether the call took effect is not known."""


class Crashed(BaseException):
    """This process is no more."""


class Held:
    """A session of this node."""

    def __init__(self, wire: Wire, user: str, fence: int) -> None:
        self.wire = wire
        self.user = user
        self.fence = fence
        self.beat_n = 0
        self.alive_n = 0


class Node:
    """One process. `name` is its incarnation, `base` the machine's name."""

    def __init__(self, world: World, base: str, incarnation: int) -> None:
        self.world = world
        self.base = base
        self.name = f"{base}.{incarnation}"
        self.engine: Engine = world.primary
        self.alive = True
        self.frozen_until = 0.0
        self.cut = False
        self.slow_replies_s = 0.0
        self.epoch = 0
        self.joined = False
        self.doubtful = False
        self.lease = NodeLease(world.times.lease)
        self.held: dict[str, Held] = {}
        self.waiting: dict[str, tuple[Waiter, Wire]] = {}
        self.arriving: set[str] = set()
        self.memory = Memory(limit=(0, world.limit))
        self._ids = itertools.count(1)
        self.spawn(self._renew())
        self.spawn(self._beat_clients())

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Does something until it ends, or the process does."""
        self.world.spawn(self._until_crash(work))

    async def _until_crash(self, work: Coroutine[Any, Any, None]) -> None:
        with contextlib.suppress(Crashed):
            await work

    async def _running(self) -> None:
        """Goes on once this process runs; a frozen one runs again where it was."""
        while self.alive and self.frozen_until > self.world.now:
            await asyncio.sleep(self.frozen_until - self.world.now)
        if not self.alive:
            raise Crashed

    def clock(self) -> float:
        """What this node times its lease by."""
        return self.world.wall() if Bug.WALL_CLOCK in self.world.bugs else self.world.now

    # -- the store --------------------------------------------------------------------------------

    async def call(self, verb: str, **args: Any) -> tuple[str, dict[str, Any]]:
        """Asks the store. Raises `Unknown` without an answer, or with one of an epoch that is over."""
        world, engine = self.world, self.engine
        await asyncio.sleep(world.delay())
        if self.cut or not engine.up:
            raise await self._unanswered()
        ledger = Ledger(engine, world.times, world.bugs, world.history)
        word, epoch, body = ledger.call(verb, self.epoch, **args)
        if world.rng.random() < world.reply_loss:
            raise await self._unanswered()
        await asyncio.sleep(world.delay() + self.slow_replies_s)
        await self._running()
        if self.cut or epoch < self.epoch or engine is not self.engine:
            raise Unknown
        if epoch > self.epoch:
            world.history.note(self.name, "ok", "epoch", epoch=epoch)
            self.doubtful = self.epoch > 0
            self.epoch = epoch
        return word, body

    async def _unanswered(self) -> Unknown:
        await asyncio.sleep(TIMEOUT_S)
        await self._running()
        return Unknown()

    async def _surely(self, verb: str, **args: Any) -> None:
        """Repeats what must take effect, and may safely be repeated, until it did."""
        while True:
            try:
                await self.call(verb, **args)
                return
            except Unknown:
                await asyncio.sleep(self.world.times.renew)
                await self._running()

    def _report(self) -> Report:
        return Report(
            {session: (held.fence, held.user) for session, held in self.held.items()},
            {session: waiter for session, (waiter, _) in self.waiting.items()},
            set(self.arriving),
        )

    async def _reassert(self) -> None:
        epoch, report = self.epoch, self._report()
        _, body = await self.call("reassert", node=self.name, report=report, memory=self.memory)
        self.doubtful = self.epoch > epoch
        self._act_on(body, report)

    async def _renew(self) -> None:
        while True:
            await self._running()
            asked = self.clock()
            with contextlib.suppress(Unknown):
                await self._beat(asked)
            await asyncio.sleep(self.world.times.renew)

    async def _beat(self, asked: float) -> None:
        report = self._report()
        word, body = await self.call("beat", node=self.name, joined=self.joined, report=report)
        self.joined = True
        self.doubtful |= word == "lapsed"
        if self.doubtful:
            await self._reassert()
        else:
            self._act_on(body, report)
        self.lease.renewed(self.clock() if Bug.LEASE_FROM_REPLY in self.world.bugs else asked)
        await self.call("sweep")

    def _as_reported(self, session: str, report: Report) -> Held | None:
        """The session that the answer is about; it may have come back to this node since the question."""
        held = self.held.get(session)
        return held if held and report.held.get(session, (0, ""))[0] == held.fence else None

    def _act_on(self, audit: dict[str, Any], report: Report) -> None:
        self.memory.limit = max(self.memory.limit, audit["limit"])
        for session in audit["granted"]:
            if session in self.waiting:
                waiter, wire = self.waiting.pop(session)
                self._welcome(wire, session, waiter.user, 1, resumed=False)
        for session in audit["lost"]:
            if session in self.waiting:
                self.waiting.pop(session)[1].tell("closed", code=4103, reason="internal")
            elif held := self._as_reported(session, report):
                del self.held[session]
                held.wire.tell("closed", code=4001, reason="lease_lost")
        for session in audit["superseded"]:
            if held := self._as_reported(session, report):
                del self.held[session]
                held.wire.tell("closed", code=4301, reason="replaced")
                self.spawn(self._surely("close", session=session, node=self.name, fence=held.fence))
        for session in audit["out"]:
            if held := self._as_reported(session, report):
                self.memory.kicked.setdefault(session, (held.user, 0.0))
                held.wire.tell("logout")

    # -- clients ----------------------------------------------------------------------------------

    async def hello(self, wire: Wire, user: str, resume: str, request: str, wait: bool) -> None:
        """A client signs in or comes back."""
        await self._running()
        try:
            if resume and await self._resumed(wire, user, resume):
                return
            await self._opened(wire, user, request, wait)
        except Unknown:
            wire.tell("closed", code=4103, reason="internal")

    async def _resumed(self, wire: Wire, user: str, session: str) -> bool:
        self.arriving.add(session)
        try:
            word, body = await self.call("attach", session=session, user=user, node=self.name)
        except Unknown:
            self.spawn(self._park_unsure(session))
            raise
        finally:
            self.arriving.discard(session)
        if word == "granted":
            self._welcome(wire, session, user, body["fence"], resumed=True)
        return word == "granted"

    async def _park_unsure(self, session: str) -> None:
        """It may or may not have been attached to this node: not for long, unless it comes here again."""
        while session not in self.held and session not in self.arriving:
            try:
                await self.call("park", session=session, node=self.name, fence=None)
                return
            except Unknown:
                await asyncio.sleep(self.world.times.renew)
                await self._running()

    async def _opened(self, wire: Wire, user: str, request: str, wait: bool) -> None:
        limit = self.memory.limit[1]
        for _ in range(3):
            session = (
                self._new_id() if Bug.NEW_ID_PER_TRY in self.world.bugs else wire.session_id(self._new_id)
            )
            self.arriving.add(session)
            try:
                args = {"session": session, "user": user, "node": self.name, "request": request}
                word, body = await self.call("open", **args, wait=wait, limit=limit)
                break
            except Unknown:
                continue
            finally:
                self.arriving.discard(session)
        else:
            self._end(session, 1)
            raise Unknown
        match word:
            case "granted":
                self._welcome(wire, session, user, body["fence"], resumed=False)
            case "queued" if "waiter" in body and not wire.closed:
                self.waiting[session] = (body["waiter"], wire)
                wire.tell("queued")
            case "queued":  # its answer was lost, or nobody is there to wait: out again
                self._end(session, 1)
                wire.tell("denied", code="unavailable")
            case _:
                wire.tell("denied", code=body.get("code", word))

    def _new_id(self) -> str:
        if Bug.IDS_REUSED in self.world.bugs:
            return f"{self.base}-{next(self._ids)}"
        return f"{self.name}-{next(self._ids)}"

    def _welcome(self, wire: Wire, session: str, user: str, fence: int, *, resumed: bool) -> None:
        if wire.closed:
            self._park_or_end(session, fence, resumed)
            return
        self.held[session] = Held(wire, user, fence)
        wire.tell("welcome", session=session, node=self.name, resumed=resumed)

    def _park_or_end(self, session: str, fence: int, resumed: bool) -> None:
        if resumed:
            self.spawn(self._surely("park", session=session, node=self.name, fence=fence))
        else:
            self._end(session, fence)

    def _end(self, session: str, fence: int) -> None:
        self.memory.ended.add(session)
        self.spawn(self._surely("close", session=session, node=self.name, fence=fence))

    async def heard(self, wire: Wire, what: str, n: int = 0) -> None:
        """A client said something, or its socket is gone."""
        await self._running()
        for session, (_, other) in list(self.waiting.items()):
            if other is wire and what in ("gone", "bye"):
                del self.waiting[session]
                self._end(session, 1)
        for session, held in list(self.held.items()):
            if held.wire is wire:
                self._from(session, held, what, n)

    def _from(self, session: str, held: Held, what: str, n: int) -> None:
        if what == "alive":
            held.alive_n = max(held.alive_n, n)
            return
        del self.held[session]
        if what in ("bye", "ack"):
            self._end(session, held.fence)
        else:
            self.spawn(self._surely("park", session=session, node=self.name, fence=held.fence))

    async def _beat_clients(self) -> None:
        while True:
            await asyncio.sleep(self.world.times.beat)
            await self._running()
            if not self.lease.valid(self.clock()):
                continue
            for session, held in list(self.held.items()):
                if held.alive_n < held.beat_n:
                    del self.held[session]
                    held.wire.tell("closed", code=4102, reason="no_alive")
                    self.spawn(self._surely("park", session=session, node=self.name, fence=held.fence))
                else:
                    held.beat_n += 1
                    held.wire.tell("beat", n=held.beat_n)

    # -- administrators ---------------------------------------------------------------------------

    async def kick(self, user: str, cooldown: float) -> list[str]:
        """Forces a user out; what is answered has taken effect."""
        _, body = await self.call("kick", user=user, cooldown=cooldown)
        for session in body["sessions"]:
            self.memory.kicked[session] = (user, self.world.now + cooldown)
        return list(body["sessions"])

    async def set_limit(self, limit: int) -> None:
        """Changes the license."""
        _, body = await self.call("set_limit", limit=limit)
        self.memory.limit = max(self.memory.limit, body["limit"])
