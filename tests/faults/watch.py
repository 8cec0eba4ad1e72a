"""Reads the ledger while a trial goes on, beside the servers, and notes what changes."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, NamedTuple

import msgpack
from redis.asyncio import Redis
from redis.exceptions import RedisError

from seatd.store.keys import key, partition_of
from tests.faults.ending import ended
from tests.faults.history import History

PROC = "ledger"
EVERY_S = 0.2


class Snapshot(NamedTuple):
    """One consistent view: session -> record, license -> holders, the partition's epoch, until when it recovers (ms)."""

    at: float
    sessions: dict[str, dict[str, Any]]
    holders: dict[str, set[str]]
    epoch: int
    recover_until_ms: int
    now_ms: float

    def standing(self) -> list[str]:
        """Sessions that must have somebody: attached, or parked beyond their deadline."""
        return [
            session
            for session, record in self.sessions.items()
            if record["state"] == "attached" or record["until_ms"] <= self.now_ms
        ]


class Watch:
    """Samples one customer's part of a store. `url`: the store itself, not a proxy in front of it."""

    def __init__(self, url: str, customer: str, partitions: int, history: History) -> None:
        self.customer = customer
        self.history = history
        self._partition = partition_of(customer, partitions)
        self._client = Redis.from_url(url, socket_timeout=2.0)
        self._last = Snapshot(0.0, {}, {}, 0, 0, 0.0)
        self._proc = PROC
        self._moves = 0
        self._looking = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Samples until `close`."""
        self._task = asyncio.create_task(self._sample())

    async def follow(self, url: str, *, same: bool = False) -> None:
        """From now on reads another server, which may know less; `same`: it has the same data."""
        async with self._looking:
            await self._client.aclose()
            self._client = Redis.from_url(url, socket_timeout=2.0)
            if not same:  # what it lacks was lost, not freed
                self._last = Snapshot(0.0, {}, {}, 0, 0, 0.0)
            self._moves += 1
            self._proc = f"{PROC}-{self._moves}"  # what it says of the epoch may be older

    async def close(self) -> None:
        """Ends."""
        if self._task is not None:
            await ended(self._task)
        await self._client.aclose()

    async def look(self) -> Snapshot:
        """What the store says now, and notes what changed. Raises `RedisError` or `OSError` while it is away."""
        async with self._looking:
            now = await self._snapshot()
            self._note(now)
            self._last = now
        return now

    async def _snapshot(self) -> Snapshot:
        at = self.history.clock()
        async with self._client.pipeline(transaction=True) as pipe:
            pipe.hgetall(key("sessions", self._partition, self.customer))
            pipe.zrange(key("seats", self._partition, self.customer), 0, -1)
            pipe.hgetall(key("meta", self._partition, None))
            pipe.time()
            sessions, seats, meta, (seconds, micros) = await pipe.execute()
        offset_ms, clock_ms = float(meta.get(b"offset_ms", 0)), float(meta.get(b"clock_ms", 0))
        now_ms = max(clock_ms, seconds * 1000 + micros / 1000 + offset_ms)  # the partition's own time
        holders: dict[str, set[str]] = {}
        for member in seats:
            license_, _, holder = member.decode().partition("\0")
            holders.setdefault(license_, set()).add(holder)
        return Snapshot(
            at,
            {name.decode(): msgpack.unpackb(record) for name, record in sessions.items()},
            holders,
            int(meta.get(b"epoch", 0)),
            int(float(meta.get(b"recover_until_ms", 0))),
            now_ms,
        )

    async def _sample(self) -> None:
        while True:
            with contextlib.suppress(RedisError, OSError):
                await self.look()
            await asyncio.sleep(EVERY_S)

    def _note(self, now: Snapshot) -> None:
        if now.epoch != self._last.epoch:
            self.history.note(self._proc, "ok", "epoch", at=now.at, epoch=now.epoch)
        for session, record in now.sessions.items():
            if record != self._last.sessions.get(session):
                self._note_session(now, session, record)
        for session in self._last.sessions.keys() - now.sessions.keys():
            if self._last.sessions[session]["state"] != "waiting":  # it had no seat yet
                self._ok(now, "freed", session)
        recovering = now.recover_until_ms > now.now_ms
        for license_ in now.holders.keys() | self._last.holders.keys():
            used = len(now.holders.get(license_, ()))
            if used != len(self._last.holders.get(license_, ())):
                value = {"used": used, "recovering": recovering}
                self.history.note(PROC, "ok", "used", at=now.at, license=license_, value=value)

    def _note_session(self, now: Snapshot, session: str, record: dict[str, Any]) -> None:
        before = self._last.sessions.get(session)
        if before is None or not before["seats"]:  # one that waited has its first seats
            for seat in record["seats"]:
                self._ok(
                    now, "granted", session, record, license=seat["license"], value={"holder": seat["holder"]}
                )
        elif record["state"] == "attached":
            self._ok(now, "attached", session, record)
        if record["state"] == "parked":
            until_s = now.at + (record["until_ms"] - now.now_ms) / 1000
            for seat in record["seats"]:
                value = {"holder": seat["holder"], "until_s": until_s}
                self._ok(now, "parked", session, record, license=seat["license"], value=value)

    def _ok(
        self, now: Snapshot, op: str, session: str, record: dict[str, Any] | None = None, **more: Any
    ) -> None:
        owner = {"node": record["node"], "fence": record["fence"]} if record else {}
        self.history.note(
            PROC,
            "ok",
            op,
            at=now.at,
            customer=self.customer,
            session=session,
            epoch=now.epoch,
            **owner,
            **more,
        )
