"""What is on disk: waiting for it, where the engine can say so (WAITAOF: Valkey, and Redis from 7.2)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

from redis import exceptions

from seatd.shared_call import SharedCall
from seatd.store.cluster import Cluster
from seatd.store.keys import deployment_key, partition_key
from seatd.store.pipeline import AWAY, told_of
from seatd.store.values import StoreUnavailable
from seatd.store.verbs import Verbs
from seatd.store.wire import Words

WAIT_MS = 1300
"""Within the time that a call to the store may take; the engine writes to its disk every second."""
CANNOT_SAY = ("unknown command", "WAITAOF cannot be used")
"""How an engine answers that knows no WAITAOF, or that keeps no append-only file."""


class CannotSay(Exception):
    """The engine does not tell what is on its disk."""


class DurableVerbs(Verbs):
    """Durability, partition by partition. `owns_engine`: this process runs the engine, and may have it write at once."""

    owns_engine = False

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._syncs: dict[tuple[str, int], SharedCall[tuple[int, int]]] = {}

    async def make_durable(self, partition: int | None) -> None:
        """Returns when everything written so far is on disk (None: of the deployment, which is in no partition). An engine
        that cannot say so is taken at its settings.

        Raises `StoreUnavailable` when the disk is too slow: what was asked for is done, but may still be lost.
        """
        with suppress(CannotSay):
            on_disk, _copies = await self._sync(self._noted_in(partition), replicas=0)
            if not on_disk:
                raise StoreUnavailable("the store has not written to its disk yet")

    async def is_durable(self) -> bool | None:
        """Whether everything written so far is on disk and on every replica; None where nobody can say."""
        # On one server one partition speaks for all; on a cluster each must be asked where it is.
        asked = range(self.partitions) if isinstance(self.pipeline, Cluster) else (0,)
        answers = await asyncio.gather(*(self._is_durable(partition) for partition in asked))
        return None if None in answers else all(answers)

    async def _is_durable(self, partition: int) -> bool | None:
        try:
            meta = partition_key("meta", partition)
            _, told = await self.pipeline.together(("HINCRBY", meta, "synced", 1), ("INFO", "replication"))
            replicas = int(told["connected_slaves"])
            on_disk, copies = await self._sync(meta, replicas=replicas)
        except (CannotSay, exceptions.NoPermissionError):
            return None
        return bool(on_disk) and copies >= replicas

    async def _sync(self, noted_in: str, *, replicas: int) -> tuple[int, int]:
        """How many disks and replicas have what was written before, asked once for all who ask at the same time."""
        place = noted_in, replicas
        if place not in self._syncs:
            self._syncs[place] = SharedCall(partial(self._synced, noted_in, replicas))
        return await self._syncs[place].ask()

    async def _synced(self, noted_in: str, replicas: int) -> tuple[int, int]:
        """WAITAOF speaks of the writes of its own connection: so one is made first."""
        commands = (
            ("HINCRBY", noted_in, "synced", 1),
            ("WAIT", replicas, WAIT_MS),
            ("WAITAOF", 1, 0, WAIT_MS),
        )
        async with self._writing_at_once():
            _, copies, (on_disk, _) = await self._on_one_connection(commands)
        return on_disk, copies

    async def _on_one_connection(self, commands: tuple[Words, ...]) -> list[Any]:
        try:
            return await self.pipeline.together(*commands)
        except exceptions.ResponseError as error:
            if any(text in str(error) for text in CANNOT_SAY):
                raise CannotSay from error
            raise

    @asynccontextmanager
    async def _writing_at_once(self) -> AsyncIterator[None]:
        """An engine of our own writes to its disk now, instead of within the second."""
        if not self.owns_engine:
            yield
            return
        try:
            await self._appendfsync("always")
            yield
        except AWAY as error:
            raise told_of(error) from error
        finally:
            with suppress(exceptions.RedisError, OSError):  # it ends with us, and starts with its own setting
                await self._appendfsync("everysec")

    async def _appendfsync(self, when: str) -> None:
        (engine,) = await self.pipeline.servers()
        await engine.config_set("appendfsync", when)

    def _noted_in(self, partition: int | None) -> str:
        """A hash on the server in question, to write to. One server has but one disk, so all may wait for it together."""
        if partition is None or not isinstance(self.pipeline, Cluster):
            return deployment_key("meta")
        return partition_key("meta", partition)
