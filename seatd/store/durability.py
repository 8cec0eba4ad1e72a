"""What is on disk: waiting for it, where the engine can say so (WAITAOF: Valkey, and Redis from 7.2)."""

from __future__ import annotations

from redis import exceptions

from seatd.store.keys import partition_key
from seatd.store.pipeline import AWAY
from seatd.store.values import StoreUnavailable
from seatd.store.verbs import Verbs

WAIT_MS = 1300
"""Within the time that a call to the store may take; the engine writes to its disk every second."""


class DurableVerbs(Verbs):
    """Durability, partition by partition. `owns_engine`: this process runs the engine, and may have it write at once."""

    owns_engine = False

    async def make_durable(self, partition: int) -> None:
        """Returns when everything written so far is on disk. An engine that cannot say so is taken at its settings.

        Raises `StoreUnavailable` when the disk is too slow: what was asked for is done, but may still be lost.
        """
        try:
            on_disk, _ = await self._sync(partition, replicas=0)
        except exceptions.ResponseError:
            return
        if not on_disk:
            raise StoreUnavailable("the store has not written to its disk yet")

    async def is_durable(self) -> bool:
        """Whether everything written so far is on disk and on every replica; False also where nobody can say."""
        try:
            replicas = int((await self.client.info("replication"))["connected_slaves"])
            on_disk, copies = await self._sync(0, replicas=replicas)
        except exceptions.ResponseError:
            return False
        except AWAY as error:
            raise StoreUnavailable(type(error).__name__) from error
        return bool(on_disk) and copies >= replicas

    async def _sync(self, partition: int, *, replicas: int) -> tuple[int, int]:
        """How many disks and replicas have it. WAITAOF speaks of the writes of its own connection: so one is made first."""
        try:
            await self._write_at_once(self.owns_engine)
            async with self.client.pipeline(transaction=False) as pipe:
                pipe.execute_command("HINCRBY", partition_key("meta", partition), "synced", 1)
                pipe.execute_command("WAIT", replicas, WAIT_MS)
                pipe.execute_command("WAITAOF", 1, 0, WAIT_MS)
                _, copies, (on_disk, _) = await pipe.execute()
        except AWAY as error:
            raise StoreUnavailable(type(error).__name__) from error
        finally:
            await self._write_at_once(False)
        return on_disk, copies

    async def _write_at_once(self, at_once: bool) -> None:
        if self.owns_engine:
            await self.client.config_set("appendfsync", "always" if at_once else "everysec")
