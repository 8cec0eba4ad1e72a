"""People of the simulation: they sign in, stay a while, leave in all the ways there are, and note what they believe."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING, Any

from seatd_protocol.lease import ClientLease
from tests.faults.simulation.ledger import CUSTOMER, LICENSE
from tests.faults.simulation.wire import Wire

if TYPE_CHECKING:
    from tests.faults.simulation.world import World

_numbers = itertools.count(1)


class Client:
    """One device of one user. `resume` is its session while there is one."""

    def __init__(self, world: World, user: str) -> None:
        self.world = world
        self.user = user
        self.proc = f"{user}/1"
        self.resume = ""
        self.lease = ClientLease(world.times.client)

    async def live(self) -> None:
        """Comes and goes until the simulation calls it a day; then it stays where it is, or stays away."""
        rng = self.world.rng
        while not self.world.over:
            away = self.resume and self.world.away_s
            await asyncio.sleep(rng.uniform(*away) if away else rng.expovariate(1 / self.world.pause_s))
            if not self.world.over:
                await self._connection(rng.expovariate(1 / self.world.stay_s))

    async def _connection(self, stay_s: float) -> None:
        world = self.world
        node = world.rng.choice(world.nodes)
        wire = Wire(world, node)
        request = f"{self.proc}#{next(_numbers)}"
        self.lease.hello_sent(world.now)
        self._note(
            "invoke", "hello", request=request, value={"user": self.user, "resume": self.resume or None}
        )
        await asyncio.sleep(world.delay())
        node.spawn(
            node.hello(wire, self.user, self.resume, request, wait=world.rng.random() < world.patience)
        )
        leave_at = world.now + stay_s
        try:
            await self._converse(wire, leave_at)
        finally:
            if not wire.closed:
                wire.drop(world.notice())

    async def _converse(self, wire: Wire, leave_at: float) -> None:
        world, live, deadline = self.world, False, self.world.now + 3 * self.world.times.beat
        while True:
            until = min(deadline, leave_at if live and not world.over else deadline)
            try:
                async with asyncio.timeout_at(until):
                    what, fields = await wire.inbox.get()
            except TimeoutError:
                if live and world.now >= leave_at and not world.over:
                    self._leave(wire)
                elif not live:
                    self._note("info", "hello")
                return None
            if what == "queued":
                deadline = world.now + world.times.client
                continue
            if what in ("denied", "closed", "logout"):
                return self._ended(wire, what, fields)
            if what == "welcome":
                live = True
                self._welcomed(fields)
            elif what == "beat":
                self._beat(wire, fields["n"])
            deadline = world.now + 1.5 * world.times.beat

    def _welcomed(self, fields: dict[str, Any]) -> None:
        self.resume = fields["session"]
        self.lease.welcomed(self.world.times.client)
        value = {"user": self.user, "resumed": fields["resumed"]}
        self._note("ok", "hello", session=self.resume, node=fields["node"], value=value)
        self._believes()

    def _beat(self, wire: Wire, n: int) -> None:
        self.lease.beat_received(n, self.world.times.client, self.world.now)
        self.lease.alive_sent(n, self.world.now)
        self._believes()
        wire.say("alive", n)

    def _ended(self, wire: Wire, what: str, fields: dict[str, Any]) -> None:
        if what == "closed":
            self._note("ok", "closed", value={**fields, "final": False})
        elif what == "denied":
            self._note("fail", "hello", value=fields)
            self._forget()
        else:
            self._note("ok", "logout", session=self.resume)
            self._forget()
            wire.say("ack")

    def _leave(self, wire: Wire) -> None:
        if self.world.rng.random() < self.world.politeness:
            self._note("ok", "bye", session=self.resume)
            self._forget()
            wire.say("bye")
            wire.closed = True
        elif self.world.rng.random() < 0.2:  # gone for good, without a word: another device takes its place
            self._forget(says=False)
            self.proc = f"{self.user}/{next(_numbers)}"

    def _forget(self, *, says: bool = True) -> None:
        session, self.resume, self.lease = self.resume, "", ClientLease(self.world.times.client)
        if says and session:
            self.world.history.note(
                self.proc, "ok", "believes", session=session, value={"seats": [], "until_s": None}
            )

    def _believes(self) -> None:
        value = {"seats": [[LICENSE, self.resume]], "until_s": self.lease.until_s}
        self._note("ok", "believes", session=self.resume, value=value)

    def _note(self, type_: Any, op: str, **fields: Any) -> None:
        self.world.history.note(self.proc, type_, op, customer=CUSTOMER, **fields)
