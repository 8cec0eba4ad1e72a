"""A deployment that harm is done to all the time: every node has a link of its own to the store, and one to its clients."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from functools import partial
from random import Random

import aiohttp

from tests.faults.ending import ended
from tests.faults.pair import one_server
from tests.faults.people import Person
from tests.faults.proxy import Proxy
from tests.faults.trial import Trial, together
from tests.servers import Server as Node
from tests.topologies import Server

NAMES = "abc"


class Field:
    """Three nodes on one store that acknowledges only what is on disk. `regulars` stay signed in as long as they can.

    `links[n]` leads from node n to the store, `doors[n]` from clients to node n. Call `lay_out` first.
    """

    store: Server

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        self.links: list[Proxy] = []
        self.doors: list[Proxy] = []
        self.regulars: list[Person] = []
        self.kicked = 0
        self._alive: dict[Node, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._staying: list[asyncio.Task[None]] = []

    @property
    def nodes(self) -> list[Node]:
        """The nodes; of a fault that lets one live, that is the last."""
        return self.trial.nodes

    async def lay_out(self, people: int, seats: int) -> None:
        """Starts everything, and signs so many people in."""
        trial = self.trial
        self.store = trial.stand_on(one_server(None, appendfsync="always"))
        trial.store = f"redis://{self.store.address}"
        self.links = [await trial.proxied(self.store.address) for _ in NAMES]
        # Ends are remembered no longer than they must be, so that this memory is full early in a run of minutes.
        more = {"SESSIONS_TOMBSTONE": f"{trial.times.linger + trial.times.recovery:g}s"}
        await trial.deploy(1, seats=seats, store=f"redis://{self.links[0].address}", **more)
        for name, link in zip(NAMES[1:], self.links[1:], strict=True):
            await trial.start(name, store=f"redis://{link.address}", **more)
        self.doors = [await trial.proxied(node.clients) for node in self.nodes]
        self.regulars = await trial.crowd(people, *(door.address for door in self.doors), prefix="r")
        self._staying = [asyncio.create_task(self._stays(person)) for person in self.regulars]

    async def quiet(self) -> None:
        """Nobody comes any more; those who are signed in stay."""
        for task in self._staying:
            await ended(task)

    async def _stays(self, person: Person) -> None:
        """Signs in again whenever the client has stopped for good."""
        while True:
            await person.client.wait_closed()
            await asyncio.sleep(0.5 * self.trial.times.scale)
            await person.sign_in()

    # -- what several harms need ------------------------------------------------------------------

    def span(self, rng: Random, most_s: float) -> float:
        """Some time, at the most this much at the default times."""
        return self.trial.times.scaled(rng.uniform(most_s / 5, most_s))

    async def killed(self, node: Node, away_s: float) -> None:
        """SIGKILL, and its start after a while."""
        async with self._alive[node]:
            node.kill()
            await asyncio.sleep(away_s)
            await self._up(node)

    async def drained(self, node: Node) -> None:
        """SIGTERM, its end in order, and its start."""
        async with self._alive[node]:
            node.process.terminate()
            await self.trial.ended(node, 40)
            node.kill()
            await self._up(node)

    async def _up(self, node: Node) -> None:
        """Starts a node, again and again while its store cannot be reached."""
        while True:
            if node.process.poll() is not None:
                node.relaunch()
            with contextlib.suppress(AssertionError, OSError):
                return await self.trial.ready(node)
            await asyncio.sleep(0.5)

    async def kick(self, people: list[Person], at: Node) -> None:
        """Forces people out at a node that may be away: then nobody knows whether they were."""
        with contextlib.suppress(aiohttp.ClientError, AssertionError, OSError):
            self.kicked += len(await self.trial.kick(*people, at=at))

    async def vanish(self, people: list[Person]) -> None:
        """Their processes end; they come back by themselves."""
        await together([partial(person.vanish) for person in people])
