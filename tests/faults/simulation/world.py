"""A whole deployment in virtual time, and what is done to it."""

from __future__ import annotations

import asyncio
import copy
import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from tests.faults.checker import Rules
from tests.faults.history import History
from tests.faults.simulation.bugs import Bug
from tests.faults.simulation.client import Client
from tests.faults.simulation.clock import simulated
from tests.faults.simulation.ledger import LICENSE, Data, Engine, Times
from tests.faults.simulation.node import Node, Unknown

Scenario = Callable[["World"], Awaitable[None]]


class World:
    """Three nodes, one primary, `people` users who want `limit` seats; all chance comes from `seed`."""

    pause_s = 3.0
    away_s: tuple[float, float] | None = None
    stay_s = 40.0
    patience = 0.5
    politeness = 0.5
    reply_loss = 0.005
    far_s = 6.0

    def __init__(self, seed: int, bugs: frozenset[Bug], *, limit: int = 4, people: int = 7) -> None:
        self.rng = random.Random(seed)
        self.bugs = bugs
        self.times = Times()
        self.limit = limit
        self.over = False
        self.complete = False
        self.wall_offset = 0.0
        loop = asyncio.get_running_loop()
        self.history = History(loop.time)
        self._tasks: set[asyncio.Task[None]] = set()
        self._engines = 1
        self.primary = Engine("A", "A0", Data(limit))
        self.nodes = [Node(self, name, 1) for name in "abc"]
        self.clients = [Client(self, f"u{n}") for n in range(people)]

    @property
    def now(self) -> float:
        """Seconds since the beginning."""
        return asyncio.get_running_loop().time()

    def wall(self) -> float:
        """What the wall clock of every machine shows."""
        return self.now + self.wall_offset

    def delay(self) -> float:
        """How long a message takes."""
        return self.rng.uniform(0.001, 0.03)

    def notice(self) -> float:
        """How long a node takes to notice that a client's end is gone."""
        return self.rng.uniform(0.0, self.far_s)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Does something beside everything else; nothing any more once the history is complete."""
        if self.complete:
            return work.close()
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return None

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            asyncio.get_running_loop().call_exception_handler({"message": "simulation", "exception": error})
            raise error

    # -- what is done to it -----------------------------------------------------------------------

    async def fail_over(
        self, lag_s: float, *, back_to: str | None = None, stay: tuple[Node, ...] = ()
    ) -> None:
        """The primary is replaced by a replica that is `lag_s` behind. `stay`: nodes that the old one still answers for Z."""
        old = self.primary
        behind = copy.deepcopy(old.data)
        await asyncio.sleep(lag_s)
        self.promote(behind, back_to, zombie=bool(stay))
        for node in self.nodes:
            self.spawn(self._moves_later(node, old) if node in stay else self.moves(node))

    def promote(self, data: Data, run_id: str | None = None, *, zombie: bool = False) -> None:
        """A server with this data is the primary now; the one before is gone, unless it is a zombie."""
        self.primary.up = zombie
        self.history.note("trial", "ok", "lost")
        self._engines += 1
        self.primary = Engine(run_id or f"B{self._engines}", f"R{self._engines}", data)

    async def moves(self, node: Node) -> None:
        """A node finds the new primary, each in its own time."""
        await asyncio.sleep(self.rng.uniform(0, 4))
        node.engine = self.primary

    async def _moves_later(self, node: Node, old: Engine) -> None:
        await asyncio.sleep(self.times.old_primary * self.rng.uniform(0.5, 0.98))
        node.engine = self.primary
        old.up = False

    def crash(self, node: Node) -> None:
        """A process ends, and its machine starts another."""
        node.alive = False
        base, incarnation = node.name.split(".")
        for held in node.held.values():
            held.wire.tell("closed", code=1006, reason="")
        self.nodes[self.nodes.index(node)] = Node(self, base, int(incarnation) + 1)

    async def kick(self, user: str, cooldown_s: float) -> None:
        """An administrator forces a user out."""
        node = self.rng.choice(self.nodes)
        value = {"user": user, "sessions": [], "cooldown_s": cooldown_s}
        self.history.note("admin", "invoke", "kick", value=value)
        try:
            sessions = await node.kick(user, cooldown_s)
        except Unknown:
            self.history.note("admin", "info", "kick", value=value)
        else:
            self.history.note("admin", "ok", "kick", value={**value, "sessions": sessions})

    async def set_limit(self, limit: int) -> None:
        """A license is changed."""
        self.history.note("admin", "invoke", "limit", license=LICENSE, value=limit)
        while True:
            try:
                await self.rng.choice(self.nodes).set_limit(limit)
            except Unknown:
                continue
            break
        self.history.note("admin", "ok", "limit", license=LICENSE, value=limit)

    # -- from beginning to rest -------------------------------------------------------------------

    async def run(self, scenario: Scenario) -> History:
        """Lives through the scenario and comes to rest."""
        for client in self.clients:
            self.spawn(client.live())
        await scenario(self)
        self.over = True
        settled = self.times.old_primary + self.times.recovery + self.times.linger + 2 * self.times.client
        await asyncio.sleep(settled)
        held = [session for node in self.nodes for session in node.held]
        sessions = self.primary.data.sessions.items()
        in_time = [
            session for session, record in sessions if record.state != "attached" and record.until > self.now
        ]
        ledger = [session for session, _ in sessions if session not in in_time]
        self.history.note("trial", "ok", "rest", value={"ledger": ledger, "nodes": held, "parked": in_time})
        self.complete = True
        return self.history


def rules(limit: int = 4) -> Rules:
    """What a simulated history is judged by."""
    return Rules(limits={LICENSE: limit}, kick_s=50.0, exact_ledger=True)


def lived_through(scenario: Scenario, seed: int, *bugs: Bug) -> History:
    """The history of a scenario."""

    async def main() -> History:
        return await World(seed, frozenset(bugs)).run(scenario)

    return simulated(main())
