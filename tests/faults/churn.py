"""A load: people who come, stay a moment and go, and writes of somebody else's beside them."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
from collections import Counter
from typing import Self

from aiohttp import ClientSession
from redis.asyncio import Redis
from redis.exceptions import RedisError

from seatd_protocol.messages import Denied, Welcome
from tests.faults.history import History
from tests.faults.people import Person
from tests.faults.trial import Trial

ANSWER_S = 5.0
AGAIN_S = 0.1


class Churn:
    """While it runs, each of `number` people signs in at one of `urls` (all nodes without any), stays about `stay_s`, leaves.

    `came`: sign-ins so far; `refused`: how often each code was the answer.
    """

    def __init__(
        self,
        trial: Trial,
        number: int,
        *urls: str,
        prefix: str = "w",
        stay_s: float = 0.3,
        seed: int = 0,
        wait_s: int = 0,
        http: ClientSession | None = None,
    ) -> None:
        self.came = 0
        self.refused: Counter[str] = Counter()
        nodes = urls or tuple(node.clients for node in trial.nodes)
        turned = [nodes[n % len(nodes) :] + nodes[: n % len(nodes)] for n in range(number)]
        self.people = [
            trial.person(f"{prefix}{n}", *order, wait_s=wait_s, http=http) for n, order in enumerate(turned)
        ]
        self._history = trial.history
        self._stay_s = stay_s
        self._rng = random.Random(seed)
        self._over = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> Self:
        """Begins."""
        self._tasks = [asyncio.create_task(self._live(person)) for person in self.people]
        return self

    async def stop(self) -> None:
        """Lets everybody finish what he does; all have left then."""
        self._over.set()
        await asyncio.gather(*self._tasks)

    async def until_come(self, more: int, within_s: float) -> bool:
        """Waits for so many further sign-ins; False when they do not come."""
        wanted = self.came + more
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while self.came < wanted:
                    await asyncio.sleep(0.02)
        return self.came >= wanted

    async def _live(self, person: Person) -> None:
        await self._pause(self._rng.uniform(0, self._stay_s))
        while not self._over.is_set():
            await self._visit(person)
        await person.vanish()

    async def _visit(self, person: Person) -> None:
        asking = asyncio.create_task(person.sign_in())
        await asyncio.wait({asking}, timeout=ANSWER_S)
        if not asking.done():
            self.refused["no answer"] += 1
            await person.vanish()  # by itself, so that its end counts as its own
            await asyncio.gather(asking, return_exceptions=True)
            return
        answer = asking.result()
        if isinstance(answer, Welcome):
            self.came += 1
            await self._pause(self._rng.uniform(0.5, 1.5) * self._stay_s)
            await person.bye()
        else:
            self.refused[answer.code if isinstance(answer, Denied) else str(answer.code)] += 1
            await self._pause(AGAIN_S)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._over.wait()


class Writes:
    """Writes of a foreign key at a steady rate over one connection, which stays where it is as long as it is answered.

    `acknowledged`: how many were; `at`: when each answer came.
    """

    KEY = "foreign:count"

    def __init__(self, url: str, per_s: int) -> None:
        self.acknowledged = 0
        self.at: list[float] = []
        self._over = False
        self._client = Redis.from_url(url, socket_timeout=5)
        self._batch = max(1, per_s // 50)
        self._task: asyncio.Task[None] | None = None

    def start(self, history: History) -> Self:
        """Begins; goes on until the server refuses or ends it."""
        self._task = asyncio.create_task(self._write(history))
        return self

    async def stop(self) -> None:
        """Ends. (A call that is cancelled as its answer comes may not tell of it, so it is let go on to its end.)"""
        self._over = True
        if self._task:
            await self._task
        await self._client.aclose()

    async def _write(self, history: History) -> None:
        while not self._over:
            try:
                pipe = self._client.pipeline(transaction=False)
                for _ in range(self._batch):
                    pipe.incr(self.KEY)
                answers = await pipe.execute(raise_on_error=False)
            except (RedisError, OSError):
                answers = []
            done = sum(isinstance(answer, int) for answer in answers)
            self.acknowledged += done
            self.at += [history.clock()] * done
            await asyncio.sleep(0.02 if done else 0.2)


def longest_pause(trial: Trial, since: float) -> float:
    """The longest time between two new sessions, from just before `since` on."""
    at = [event.t for event in trial.history.of("hello") if not event.value["resumed"]]
    first = max([t for t in at if t < since], default=since)
    at = [first, *(t for t in at if t > first)]
    return max((later - earlier for earlier, later in itertools.pairwise(at)), default=float("inf"))


def refused_for(trial: Trial, since: float) -> float:
    """From the first to the last newcomer who was told that the store recovers."""
    at = [event.t for event in trial.history.of("hello", type_="fail") if event.value["code"] == "recovering"]
    at = [t for t in at if t >= since]
    return max(at) - min(at) if at else 0.0


def first_after(trial: Trial, since: float) -> float:
    """Seconds from `since` to the first new session; infinite when there was none."""
    at = (event.t for event in trial.history.of("hello") if event.t > since and not event.value["resumed"])
    return next((t - since for t in at), float("inf"))
