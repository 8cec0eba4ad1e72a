"""The reference ledger: what a store's scripts do, on plain values. One customer, one license."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from tests.faults.history import History
from tests.faults.simulation.bugs import Bug

CUSTOMER, LICENSE = "acme", "l"
EPOCH = 1000  # fences within an epoch


@dataclass(frozen=True)
class Times:
    """Seconds: node lease T and its renewal, client lease C and beat, linger G, recovery R, Z of a replaced primary."""

    lease: float = 10.0
    renew: float = 2.5
    client: float = 24.0
    beat: float = 8.0
    linger: float = 30.0
    recovery: float = 50.0
    old_primary: float = 11.0


@dataclass
class Record:
    """A session. `until` is the deadline of one that is not attached."""

    user: str
    node: str
    state: Literal["attached", "parked", "draining"] = "attached"
    fence: int = 1
    until: float = 0.0


@dataclass
class Waiter:
    """Somebody in the queue, with the number that was drawn at the end of it."""

    number: int
    session: str
    user: str
    node: str


@dataclass
class Data:
    """All that is stored; a replica's is an older copy of it."""

    limit: int
    limit_version: int = 0
    mark: str = ""
    epoch: int = 0
    recover_from: float = 0.0
    recover_until: float = 0.0
    numbers: int = 0
    nodes: dict[str, float] = field(default_factory=dict)
    sessions: dict[str, Record] = field(default_factory=dict)
    tombs: set[str] = field(default_factory=set)
    cooldowns: dict[str, float] = field(default_factory=dict)
    queue: list[Waiter] = field(default_factory=list)


@dataclass
class Engine:
    """A server: its process, the history of writes that it continues, its data."""

    run_id: str
    replid: str
    data: Data
    up: bool = True


Answer = tuple[str, dict[str, Any]]


@dataclass
class Report:
    """What a node says of itself with a beat: sessions held (id -> fence, user), those that wait, sign-ins under way."""

    held: dict[str, tuple[int, str]]
    waiting: dict[str, Waiter]
    arriving: set[str]


@dataclass
class Memory:
    """What a node can say again after a loss: endings, forced logouts (session -> user, refused until), the latest limit."""

    ended: set[str] = field(default_factory=set)
    kicked: dict[str, tuple[str, float]] = field(default_factory=dict)
    limit: tuple[int, int] = (0, 0)


class Ledger:
    """Verbs on one engine's data. Each begins with the guard, looks, and only then writes."""

    def __init__(self, engine: Engine, times: Times, bugs: frozenset[Bug], history: History) -> None:
        self.engine = engine
        self.times = times
        self.bugs = bugs
        self.history = history
        self.now = 0.0

    def call(self, verb: str, known: int, **args: Any) -> tuple[str, int, dict[str, Any]]:
        """The word, the epoch and the body that a script would answer."""
        self.now = self.history.clock()
        self._guard(known)
        word, body = getattr(self, verb)(**args)
        return word, self.data.epoch, body

    @property
    def data(self) -> Data:
        return self.engine.data

    @property
    def recovering(self) -> bool:
        return self.now < self.data.recover_until

    def _guard(self, known: int) -> None:
        data = self.data
        mark = self.engine.run_id if Bug.RUN_ID in self.bugs else self.engine.replid
        if Bug.NO_GUARD in self.bugs or (data.mark == mark and data.epoch >= known):
            return
        newborn = not data.mark and not known
        data.mark, data.epoch = mark, max(data.epoch, known) + 1
        if newborn:
            return
        recovery = 1.0 if Bug.SHORT_RECOVERY in self.bugs else self.times.recovery
        data.recover_from, data.recover_until = self.now, self.now + recovery
        for record in data.sessions.values():
            if Bug.DEADLINE_EXTENDED in self.bugs and record.state == "parked":
                record.until = max(record.until, data.recover_until)

    # -- a session's life -------------------------------------------------------------------------

    def open(self, session: str, user: str, node: str, request: str, wait: bool, limit: int) -> Answer:
        """Signs in. `limit` is what the node read earlier, which only a bug uses."""
        data = self.data
        if data.nodes.get(node, -1.0) < self.now:
            return "lapsed", {}
        if record := data.sessions.get(session):
            same = record.node == node and record.state == "attached"
            return ("granted", {"fence": record.fence}) if same else ("gone", {})
        if any(waiter.session == session for waiter in data.queue):
            return "queued", {}
        if session in data.tombs and Bug.IDS_REUSED not in self.bugs:
            return "gone", {}
        if self.recovering:
            return "denied", {"code": "recovering"}
        if data.cooldowns.get(user, -1.0) > self.now:
            return "denied", {"code": "cooldown"}
        if len(data.sessions) >= (limit if Bug.STALE_LIMIT in self.bugs else data.limit):
            return self._wait(session, user, node) if wait else ("denied", {"code": "no_seat"})
        self._grant(session, user, node, request=request)
        return "granted", {"fence": 1}

    def _wait(self, session: str, user: str, node: str) -> Answer:
        self.data.numbers += 1
        waiter = Waiter(self.data.numbers, session, user, node)
        self._enqueue(waiter)
        return "queued", {"waiter": waiter}

    def _enqueue(self, waiter: Waiter) -> None:
        self.data.queue = sorted([*self.data.queue, waiter], key=lambda item: item.number)
        self.data.numbers = max(self.data.numbers, waiter.number)
        self._note("queued", waiter.session, value=waiter.number)

    def _grant(self, session: str, user: str, node: str, *, request: str = "", queued: int = 0) -> None:
        self.data.sessions[session] = Record(user, node)
        value = {"holder": session, "queued": queued}
        self._note("granted", session, node=node, fence=1, request=request, value=value)
        self._note_used()

    def attach(self, session: str, user: str, node: str) -> Answer:
        """Resumes: the fence grows, so whatever another node still does is refused."""
        if self.data.nodes.get(node, -1.0) < self.now:
            return "lapsed", {}
        record = self.data.sessions.get(session)
        if not record or record.user != user:
            return "gone", {}
        if Bug.EXISTS_IS_OK in self.bugs:
            self._note("attached", session, node=node, fence=record.fence)
            return "granted", {"fence": record.fence}
        if record.state == "draining" or self._may_be_anothers(record):
            return "gone", {}
        # An old primary may hand out a fence for the same session: its epoch in front keeps the two apart.
        record.node, record.state = node, "attached"
        record.fence = max(record.fence, self.data.epoch * EPOCH) + 1
        self._note("attached", session, node=node, fence=record.fence)
        return "granted", {"fence": record.fence}

    def _may_be_anothers(self, record: Record) -> bool:
        """A deadline that has passed before the loss, or passes while an old primary may still act on it: its seat may be
        another's, and the write that says so is lost or still to come where nobody here sees it."""
        over = self.data.recover_from + self.times.old_primary
        return self.recovering and record.state == "parked" and record.until <= over

    def park(self, session: str, node: str, fence: int | None) -> Answer:
        """The socket is gone: keeps the seat until the deadline. `fence` None: the node never learned it."""
        record = self.data.sessions.get(session)
        if not record or record.state != "attached" or not self._owns(record, node, fence):
            return "gone", {}
        self._park(session, record, self.now + self.times.linger)
        return "parked", {}

    def close(self, session: str, node: str, fence: int) -> Answer:
        """Ends: the seat is free. What never was is remembered, so that it never will be."""
        for waiter in [item for item in self.data.queue if item.session == session]:
            self._leaves(waiter)
        record = self.data.sessions.get(session)
        if not record:
            self.data.tombs.add(session)
            return "gone", {}
        if record.fence != fence and Bug.NO_FENCE not in self.bugs:
            return "gone", {}
        self._drop(session)
        self._serve()
        return "closed", {}

    def _owns(self, record: Record, node: str, fence: int | None) -> bool:
        return Bug.NO_FENCE in self.bugs or (record.node == node and fence in (None, record.fence))

    def kick(self, user: str, cooldown: float) -> Answer:
        """Forces a user out: the seats stay taken until nobody can believe in them any more."""
        sessions = [session for session, record in self.data.sessions.items() if record.user == user]
        for session in sessions:
            self._drain(session, self.data.sessions[session])
        for waiter in [item for item in self.data.queue if item.user == user]:
            self._leaves(waiter)
        if Bug.NO_COOLDOWN not in self.bugs:
            self.data.cooldowns[user] = self.now + cooldown
        return "kicked", {"sessions": sessions}

    def set_limit(self, limit: int) -> Answer:
        """The license allows another number of seats from now on."""
        self.data.limit, self.data.limit_version = limit, self.data.limit_version + 1
        self._serve()
        return "set", {"limit": (self.data.limit_version, limit)}

    # -- nodes ------------------------------------------------------------------------------------

    def beat(self, node: str, joined: bool, report: Report) -> Answer:
        """Renews the lease; says what became of the node's sessions, and what the limit is."""
        lapsed = joined and self.data.nodes.get(node, -1.0) < self.now
        self.data.nodes[node] = self.now + self.times.lease
        return ("lapsed", {}) if lapsed else ("beat", self._audit(node, report))

    def reassert(self, node: str, report: Report, memory: Memory) -> Answer:
        """Puts back what this node still holds, and what it knows to have ended."""
        data = self.data
        if memory.limit[0] > data.limit_version:
            data.limit_version, data.limit = memory.limit
        if Bug.TOMBS_FORGOTTEN not in self.bugs:
            self._bury_again(memory)
        for session, (fence, user) in report.held.items():
            self._put_back(session, node, fence, user)
        for session, record in list(data.sessions.items()):
            known = session in report.held or session in report.waiting or session in report.arriving
            if record.node == node and record.state == "attached" and not known:
                self._park(session, record, self.now + self.times.linger)
        for waiter in list(data.queue):
            gone = waiter.node == node and waiter.session not in report.waiting.keys() | report.arriving
            if gone or waiter.session in data.tombs:  # a seat would be granted to nobody
                self._leaves(waiter)
        queued = {waiter.session for waiter in data.queue}
        for waiter in report.waiting.values():
            if waiter.session not in queued | data.sessions.keys() | data.tombs:
                self._enqueue(waiter)
        return "reasserted", self._audit(node, report)

    def _bury_again(self, memory: Memory) -> None:
        self.data.tombs |= memory.ended | memory.kicked.keys()
        for session in memory.ended & self.data.sessions.keys():
            self._drop(session)
        for session, (user, refused_until) in memory.kicked.items():
            self.data.cooldowns[user] = max(refused_until, self.data.cooldowns.get(user, 0.0))
            if (record := self.data.sessions.get(session)) and record.state != "draining":
                self._drain(session, record)

    def _put_back(self, session: str, node: str, fence: int, user: str) -> None:
        record = self.data.sessions.get(session)
        if record is None:
            if not self.recovering or session in self.data.tombs:
                return
            record = self.data.sessions[session] = Record(user, node, fence=fence)
        elif (
            record.state == "draining"
            or record.fence > fence
            or (record.fence == fence and record.node not in ("", node))
        ):
            return
        record.node, record.fence, record.state = node, fence, "attached"
        self._note("attached", session, node=node, fence=fence)

    def _audit(self, node: str, report: Report) -> dict[str, Any]:
        lost, superseded, out, granted = [], [], [], []
        for session, (fence, _) in report.held.items():
            record = self.data.sessions.get(session)
            if record and record.fence > fence:
                superseded.append(session)
            elif not record or record.node != node or record.fence != fence:
                lost.append(session)
            elif record.state == "draining":
                out.append(session)
        for session in report.waiting:
            record = self.data.sessions.get(session)
            if record and record.node == node and record.state == "attached":
                granted.append(session)
            elif session in self.data.tombs or (record and record.state == "draining"):
                lost.append(session)
        limit = (self.data.limit_version, self.data.limit)
        return {"lost": lost, "superseded": superseded, "out": out, "granted": granted, "limit": limit}

    def sweep(self) -> Answer:
        """Parks what dead nodes have left, ends what is past its deadline, hands on what is free."""
        if self.recovering and Bug.SWEEP_IN_RECOVERY not in self.bugs:
            return "swept", {}
        for session, record in list(self.data.sessions.items()):
            ended = self.data.nodes.get(record.node, -1.0)
            if record.node and ended < self.now:
                if record.state == "attached":
                    self._park(session, record, max(ended, 0.0) + self.times.linger)
                record.node = ""
            if record.state != "attached" and record.until <= self.now:
                self._drop(session)
        self._serve()
        return "swept", {}

    # -- what several verbs need ------------------------------------------------------------------

    def _park(self, session: str, record: Record, until: float) -> None:
        record.state, record.node, record.until = "parked", "", until
        self._note("parked", session, value={"holder": session, "until_s": until})

    def _drain(self, session: str, record: Record) -> None:
        if record.state == "attached":
            record.until = max(self.now, self.data.nodes.get(record.node, 0.0)) + self.times.client
        else:
            record.until = min(record.until, self.now + self.times.client)
        record.state = "draining"
        self.data.tombs.add(session)

    def _drop(self, session: str) -> None:
        del self.data.sessions[session]
        self.data.tombs.add(session)
        self._note("freed", session)

    def _leaves(self, waiter: Waiter) -> None:
        self.data.queue.remove(waiter)
        self._note("left", waiter.session, value=waiter.number)

    def _serve(self) -> None:
        if self.recovering and Bug.SWEEP_IN_RECOVERY not in self.bugs:
            return
        while self.data.queue and len(self.data.sessions) < self.data.limit:
            waiter = self.data.queue[0]
            self.data.queue.remove(waiter)
            if self.data.nodes.get(waiter.node, -1.0) < self.now:
                self._note("left", waiter.session, value=waiter.number)
            else:
                self._grant(waiter.session, waiter.user, waiter.node, queued=waiter.number)

    def _note(self, op: str, session: str, **fields: Any) -> None:
        proc = f"ledger {self.engine.run_id}"
        epoch = self.data.epoch
        self.history.note(
            proc, "ok", op, customer=CUSTOMER, license=LICENSE, session=session, epoch=epoch, **fields
        )

    def _note_used(self) -> None:
        value = {"used": len(self.data.sessions), "recovering": self.recovering}
        self.history.note(f"ledger {self.engine.run_id}", "ok", "used", license=LICENSE, value=value)
