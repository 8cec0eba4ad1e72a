"""One trial of one fault: servers of its own, people, a history, figures; judged at its end."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import ClientSession, TCPConnector
from redis.exceptions import RedisError

from seatd_protocol.messages import Denied, Welcome
from tests.engine import PrivateEngine, private_engine
from tests.faults.checker import Rules, Violation, check
from tests.faults.environ import environ
from tests.faults.figures import Figures
from tests.faults.history import History
from tests.faults.people import Person
from tests.faults.proxy import Proxy
from tests.faults.report import Network
from tests.faults.stubborn import Stubborn
from tests.faults.times import Times
from tests.faults.watch import Watch
from tests.places import LOOPBACK, Place
from tests.scenarios.company import Company
from tests.servers import Server, Servers

PARTITIONS = 4
AT_ONCE = 50
TRIES = 5
GENEROUS = {"SESSIONS_MESSAGES_PER_S": "100000", "SESSIONS_MESSAGES_BURST": "100000", "TOKENS_LEEWAY": "0s"}
TOKEN_TTL_S = 100_000.0
T = TypeVar("T")


class Trial(Figures):
    """What a fault's story works with. `size`: how many sessions it should take; `times`: what the servers live by; `long_s`:
    how long a fault goes on that has no end of its own; `seed`: of what is left to chance in it."""

    company: Company
    engine: PrivateEngine
    watch: Watch

    long_s = 60.0
    seed = 0
    network: Network = "proxy"

    def __init__(self, servers: Servers, http: ClientSession, times: Times, size: int) -> None:
        super().__init__()
        self.servers = servers
        self.http = http
        self.times = times
        self.size = size
        self.history = History()
        self.nodes: list[Server] = []
        self.people: list[Person] = []
        self.stubborn: list[Stubborn] = []
        self.remarks: list[str] = []
        self.limits: dict[str, int] = {}
        self.ends_known = True
        self.store = ""
        self.watched = ""
        self.stores = ExitStack()
        self._stack = contextlib.AsyncExitStack()
        self._frozen: set[Server] = set()

    # -- servers ----------------------------------------------------------------------------------

    def stand_on(self, store: AbstractContextManager[T]) -> T:
        """A store of another kind instead of the trial's engine; it outlives the nodes. Say `store`, where nodes find it, and
        `watched`, the one server of it that the ledger is read from."""
        return self.stores.enter_context(store)

    async def deploy(
        self, nodes: int = 3, *, seats: int | None = None, store: str = "", **settings: str
    ) -> list[Server]:
        """Starts nodes on the trial's engine (or on `store`, an address in front of it) and licenses the customer."""
        for name in "abcdefgh"[:nodes]:
            await self.start(name, store=store, **settings)
        self.company = Company(*self.nodes)
        await self.license(self.size if seats is None else seats)
        self.watch = Watch(
            self.watched or self.store or self.engine.url, self.company.name, PARTITIONS, self.history
        )
        self._stack.push_async_callback(self.watch.close)
        self.watch.start()
        return self.nodes

    async def start(
        self, name: str, at: Place = LOOPBACK, /, *, store: str = "", descriptors: str = "", **settings: str
    ) -> Server:
        """One more node, ready. `descriptors`: how many it may have open (as many as we, without a number)."""
        address = store or self.store or self.engine.url
        listens = {f"{who}_LISTEN": f"{at.address}:0" for who in ("CLIENTS", "ADMIN")}
        more = self.node_settings(**(listens | settings))
        under = () if at is LOOPBACK else (sys.executable,)  # only a child of ours is inside with us
        with at.inside():
            server = self.servers.launch(
                name, store=address, folder=None, descriptors=descriptors, under=under, **more
            )
        await self.ready(server)
        self.nodes.append(server)
        return server

    def node_settings(self, **settings: str) -> dict[str, str]:
        """What every node of the trial is told; `settings` go before."""
        return {"STORE_PARTITIONS": str(PARTITIONS), **self.times.settings, **GENEROUS, **settings}

    async def ready(self, server: Server) -> None:
        """Waits without holding up the clients of this process, which must answer beats."""
        while "seatd ready" not in server.said and server.process.poll() is None:
            await asyncio.sleep(0.05)
        await asyncio.to_thread(server.wait_ready)

    async def ended(self, server: Server, within_s: float) -> float:
        """Waits for the end of a process; how long that took."""
        began_s = time.monotonic()
        while server.process.poll() is None and time.monotonic() < began_s + within_s:
            await asyncio.sleep(0.02)
        return time.monotonic() - began_s

    @contextlib.contextmanager
    def inside(self) -> Iterator[Path]:
        """Nodes started within this take faults from within (see `inside/`); the folder that tells them which."""
        folder = self.engine.socket.parent
        inside = str(Path(__file__).parent / "inside")
        with environ(PYTHONPATH=inside, TESTS_FAULTS_FOLDER=str(folder)):
            yield folder

    async def proxied(self, target: str) -> Proxy:
        """A proxy in front of something, for as long as the trial lasts."""
        return await self._stack.enter_async_context(Proxy(target))

    def freeze(self, server: Server) -> None:
        """SIGSTOP."""
        self._frozen.add(server)
        server.process.send_signal(signal.SIGSTOP)

    def thaw(self, server: Server) -> None:
        """SIGCONT."""
        self._frozen.discard(server)
        server.process.send_signal(signal.SIGCONT)

    # -- customers and administrators -------------------------------------------------------------

    async def license(self, seats: int, product: str = "CALL_CENTER") -> str:
        """A license of the trial's customer; its id."""
        (id_,) = await self.company.licensed(f"{product}:competitive:{seats}")
        self.limits[id_] = seats
        return id_

    async def kick(self, *people: Person, at: Server, cooldown_s: int = 0) -> list[dict[str, Any]]:
        """A forced logout over REST; its receipts."""
        users = sorted({person.user for person in people})
        for user in users:
            self.note_kick("invoke", user, cooldown_s, ())
        body = {"users": users, "cooldown_s": cooldown_s}
        receipts: list[dict[str, Any]] = (await at.call("POST", "/api/v1/logout", body))["sessions"]
        for user in users:
            sessions = [receipt["session"] for receipt in receipts if receipt["user"] == user]
            self.note_kick("ok", user, cooldown_s, sessions)
        return receipts

    def note_kick(self, type_: Any, user: str, cooldown_s: int, sessions: Sequence[str]) -> None:
        """A forced logout is asked for (`invoke`), or has been answered (`ok`)."""
        value = {"user": user, "sessions": list(sessions), "cooldown_s": cooldown_s}
        self.history.note("admin", type_, "kick", customer=self.company.name, value=value)

    # -- people -----------------------------------------------------------------------------------

    def person(
        self, name: str, *urls: str, device: str = "d1", wait_s: int = 0, http: ClientSession | None = None
    ) -> Person:
        """Somebody who is not signed in yet. `urls`: HOST:PORT, tried in turn by `http`; all nodes without any."""
        addresses = [f"ws://{url}" for url in urls or [node.clients for node in self.nodes]]
        user, token = self.company.user(name), self.company.token(name, ttl_s=TOKEN_TTL_S)
        person = Person(
            self.history,
            http or self.http,
            addresses,
            self.company.name,
            user,
            token,
            device=device,
            patience=self.times.scale,
            wait_s=wait_s,
        )
        self.people.append(person)
        return person

    async def http_at(self, place: Place) -> ClientSession:
        """What people who are elsewhere connect by, for as long as the trial lasts."""
        http = ClientSession(connector=TCPConnector(limit=0, socket_factory=lambda _: place.socket()))
        return await self._stack.enter_async_context(http)

    def stubborn_person(self, name: str, device: str = "d1", *, place: Place = LOOPBACK) -> Stubborn:
        """Somebody who stays on a connection whatever happens; not connected yet."""
        person = Stubborn(self.history, self.company, name, device=device, place=place)
        self.stubborn.append(person)
        return person

    async def crowd(self, number: int | None = None, *urls: str, prefix: str = "u") -> list[Person]:
        """Signs people in, spread over the nodes; all must get a seat (on a busy machine the store may miss a call)."""
        nodes = list(urls or [node.clients for node in self.nodes])
        people = []
        for n in range(self.size if number is None else number):
            first = n % len(nodes)
            people.append(self.person(f"{prefix}{n}", *nodes[first:], *nodes[:first]))
        answers = await together([partial(person.insist, TRIES) for person in people])
        refused = [answer for answer in answers if not isinstance(answer, Welcome)]
        assert not refused, f"{len(refused)} of {len(people)} got no seat: {refused[0]}"
        return people

    async def knock(self, name: str, at: Server) -> Welcome | Denied | None:
        """Somebody new asks for a seat, and gives it back at once; None: no answer."""
        person = self.person(name, at.clients)
        try:
            async with asyncio.timeout(5):
                answer = await person.sign_in()
        except TimeoutError:
            await person.vanish()
            return None
        if isinstance(answer, Welcome):
            await person.bye()
        return answer if isinstance(answer, Welcome | Denied) else None

    # -- figures ----------------------------------------------------------------------------------

    def kept(self, people: Sequence[Person], before: dict[str, str]) -> float:
        """The share of people who have the session that they had."""
        same = sum(person.live and person.session == before[person.proc] for person in people)
        return same / len(people)

    def back_s(self, people: Sequence[Person], since: float) -> list[float]:
        """For each, seconds from `since` to the first welcome after it; sorted."""
        procs = {person.proc for person in people}
        first: dict[str, float] = {}
        for event in self.history.of("hello"):
            if event.t >= since and event.proc in procs:
                first.setdefault(event.proc, event.t - since)
        return sorted(first.values())

    async def all_back(self, people: Sequence[Person], since: float, within_s: float) -> list[float]:
        """Waits for everybody's welcome after `since`; what `back_s` says then."""
        give_up_s = since + within_s
        while len(back := self.back_s(people, since)) < len(people) and time.monotonic() < give_up_s:
            await asyncio.sleep(0.1)
        return back

    async def freed_s(self, sessions: Sequence[str], since: float, within_s: float) -> list[float]:
        """Waits for the ledger to let go of sessions; seconds from `since` for each, as the ledger was seen."""
        wanted = set(sessions)
        while time.monotonic() < since + within_s:
            freed = {event.session: event.t for event in self.history.of("freed") if event.session in wanted}
            if len(freed) == len(wanted):
                break
            await asyncio.sleep(0.1)
        return sorted(t - since for t in freed.values())

    def ends_by_server(self, since: float) -> list[int]:
        """Codes that servers have closed connections with."""
        ends = self.history.of("closed")
        return [end.value["code"] for end in ends if end.t >= since and 4000 <= end.value["code"] < 5000]

    async def metric(self, node: Server, name: str) -> float:
        """The sum of a metric's series on a node."""
        async with self.http.get(f"http://{node.admin}/metrics") as page:
            lines = (await page.text()).splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if re.match(rf"{name}(\{{.*\}})? ", line))

    # -- the end ----------------------------------------------------------------------------------

    async def settle(self) -> None:
        """Waits until the ledger and the clients agree, for as long as a seat may stay behind, and notes how it then is."""
        give_up_s = time.monotonic() + self.times.free + 2
        while True:
            with contextlib.suppress(RedisError, OSError):
                ledger = await self.watch.look()
                live = [person.session for person in self.people if person.live]
                live += [person.session for person in self.stubborn if person.connected]
                standing = ledger.standing()
                if set(standing) == set(live) or time.monotonic() > give_up_s:
                    break
            assert time.monotonic() < give_up_s + 30, "the store does not answer"
            await asyncio.sleep(0.2)
        parked = sorted(ledger.sessions.keys() - set(standing))
        value = {"ledger": sorted(standing), "nodes": sorted(live), "parked": parked}
        self.history.note("trial", "ok", "rest", value=value)

    def judged(self) -> list[Violation]:
        """What the checker finds in the history."""
        kick_s = self.times.stop + 1
        return check(self.history, Rules(limits=self.limits, kick_s=kick_s, ends_known=self.ends_known))

    async def close(self) -> None:
        """Leaves nothing behind."""
        for server in tuple(self._frozen):
            self.thaw(server)
        await together([person.vanish for person in self.people])
        for person in self.stubborn:
            person.drop()
        await self._stack.aclose()


async def together(calls: Sequence[Callable[[], Awaitable[Any]]], at_once: int = AT_ONCE) -> list[Any]:
    """Makes calls, a bounded number at a time; their answers in order."""
    gate = asyncio.Semaphore(at_once)

    async def one(call: Callable[[], Awaitable[Any]]) -> Any:
        async with gate:
            return await call()

    return list(await asyncio.gather(*(one(call) for call in calls)))


@contextlib.asynccontextmanager
async def trial(times: Times, size: int) -> AsyncIterator[Trial]:
    """A trial with an engine; on leaving, servers must have ended in order and logged no bug."""
    connector = TCPConnector(limit=0)
    with ExitStack() as stores, private_engine() as engine, Servers() as servers:
        async with ClientSession(connector=connector) as http:
            own = Trial(servers, http, times, size)
            own.engine, own.stores = engine, stores
            try:
                yield own
            finally:
                await own.close()


def share(values: Sequence[float], p: float) -> float:
    """The value below which this share of sorted values lies; infinite without any."""
    return values[min(len(values) - 1, int(len(values) * p))] if values else float("inf")
