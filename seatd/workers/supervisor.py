"""The supervisor of several workers: owns the embedded store, holds the ports, and sees that all workers run.

It has no clients and serves nothing, so there is little that could end it. What the workers share otherwise is the store,
like all nodes.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec.structs import replace

from seatd import serving
from seatd.config import Settings
from seatd.config_rules import worker_name
from seatd.notation import Address, Url, mask_passwords
from seatd.store.connect import connect
from seatd.store.data_folder import DataFolder
from seatd.store.embedded import EmbeddedStore
from seatd.store.engine import EngineError
from seatd.store.redis import Store
from seatd.store.values import StoreUnavailable, WrongDeployment
from seatd.store_settings import connect_options, store_options
from seatd.workers.plan import Plan
from seatd.workers.ports import held
from seatd.workers.process import WorkerFailed, WorkerProcess

FAILURES = (EngineError, StoreUnavailable, WrongDeployment, WorkerFailed, OSError, ValueError)


class Supervisor:
    """Starts and stops everything in named steps."""

    clients: str
    admin: str

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._folder = DataFolder(settings.store.data)
        self._steps = contextlib.AsyncExitStack()

    async def start(self) -> None:
        """Ports, store, workers; all are ready when this returns. On a failure everything started is stopped."""
        try:
            clients = self._steps.enter_context(held(self.settings.clients.listen))
            admin = self._steps.enter_context(held(self.settings.admin.listen))
            self.clients, self.admin = str(clients), str(admin)
            url = await self._start_store()
            await self._start_workers([*self._plans(clients, admin, url)])
            state = serving.write_state(self.settings, self, url)
            self._steps.callback(state.unlink, missing_ok=True)
        except BaseException:
            await self._steps.aclose()
            raise

    async def stop(self) -> None:
        """The same in reverse order: every worker sends its clients on, then the store ends."""
        await self._steps.aclose()

    # -- steps ------------------------------------------------------------------------------------

    async def _start_store(self) -> str:
        """The store's URL. The data folder is ours either way: the workers' sockets are in it."""
        options = self.settings.store
        if options.url is not None:
            await self._folder.lock()
            self._steps.callback(self._folder.unlock)
            return str(options.url)
        engine = EmbeddedStore(options.data, durability=options.durability)
        url = await engine.start()
        self._steps.push_async_callback(engine.stop)
        await self._vouch(engine, url)
        return url

    async def _vouch(self, engine: EmbeddedStore, url: str) -> None:
        """Only who runs the engine knows that a restart has lost nothing: so it is said here, before any node comes."""
        store = Store(connect(url, connect_options(self.settings)), store_options(self.settings))
        self._steps.push_async_callback(store.close_client)
        engine.on_restart = lambda: store.vouch(engine.previous_replid)
        try:
            await store.join()
        except StoreUnavailable as error:
            raise StoreUnavailable(f"the store at {mask_passwords(url)} does not answer: {error}") from error
        if engine.intact and engine.previous_replid:
            await store.vouch(engine.previous_replid)

    async def _start_workers(self, plans: list[Plan]) -> None:
        for place in plans[0].places.values():
            self._steps.callback(self._folder.remove_socket, place)
        workers = [WorkerProcess(plan) for plan in plans]
        self._steps.push_async_callback(_stop_all, workers)
        await asyncio.gather(*(worker.start() for worker in workers))

    def _plans(self, clients: Address, admin: Address, url: str) -> Iterator[Plan]:
        settings = self.settings
        shared = replace(
            settings,
            clients=replace(settings.clients, listen=clients),
            admin=replace(settings.admin, listen=admin),
            store=replace(settings.store, url=Url(url)),
        )
        places = self._places()
        for name in places:
            own = replace(shared, node=replace(settings.node, name=name, workers=1))
            yield Plan(own, places, owns_engine=settings.store.url is None)

    def _places(self) -> Mapping[str, Path]:
        """Where each worker tells the others of itself, by its name."""
        return {
            worker_name(self.settings.node.name, number): self._folder.socket(file=f"worker-{number}.sock")
            for number in range(1, self.settings.node.workers + 1)
        }


async def _stop_all(workers: list[WorkerProcess]) -> None:
    await asyncio.gather(*(worker.stop() for worker in workers))


def run(settings: Settings) -> int:
    """Runs several workers until it is told to stop; the process's exit code."""
    return serving.run(settings, lambda: Supervisor(settings), FAILURES)
