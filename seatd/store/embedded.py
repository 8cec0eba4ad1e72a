"""The embedded store: a private Valkey beside seatd, on a Unix socket in the data folder.

It is the real engine with its append-only file on, started with the server and stopped with it:

* it ends when seatd ends, however seatd ends (the kernel sends it SIGTERM, so it still writes everything);
* a Ctrl-C in the terminal does not reach it: seatd says goodbye to its clients first;
* it is started again when it dies, and `on_restart` tells the owner.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import msgspec
import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import BusyLoadingError, RedisError

from seatd.store.data_folder import DataFolder, Mark, boot_id
from seatd.store.engine import Engine, EngineError, find_engine
from seatd.store.engine_log import EngineLog
from seatd.store.parent_death import signalled_at_parents_end

START_TIMEOUT_S = 15.0  # without any answer; an engine that says it is loading may take as long as it needs
STOP_TIMEOUT_S = 10.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 5.0  # between attempts to start a dead engine again
STEADY_S = 60.0  # an engine that ran this long is given a fresh start

_log = structlog.get_logger(__name__)


class EngineFailed(EngineError):
    """The engine ended while starting, or did not answer; its last words are in the text."""


class EmbeddedStore:
    """Owns a data folder and the engine that serves it.

    `on_restart` is awaited after the engine died and serves again; by then `intact`, `replid` and
    `previous_replid` speak of the new run.
    """

    def __init__(
        self,
        data: Path,
        *,
        durability: Literal["everysec", "always"] = "everysec",
        on_restart: Callable[[], Awaitable[None]] | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.folder = DataFolder(data)
        self.durability = durability
        self.on_restart = on_restart
        self.environ = environ
        self.engine: Engine | None = None
        self.intact = False
        """True when everything that the previous run acknowledged is here, or nothing was ever written.

        That is known in two cases, both within one boot of the machine: the previous run ended in order
        (also when seatd itself was killed), or it was killed under durability `always`. It is not known
        after a kill under `everysec` (see `engine_log`), after a reboot, or when the data's end was torn.
        """
        self.replid = ""
        """The engine's replication id: every run has its own, and data can be stamped with it."""
        self.previous_replid = ""
        """That of the run before, if there was one and `intact`: data stamped with it is as it left it."""
        self._log = EngineLog(self.folder.path / "store.log")
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self._socket: Path | None = None

    @property
    def url(self) -> str:
        """Where the engine serves: `unix:///...`. Other nodes on this machine may use it too."""
        return f"unix://{quote(str(self._socket))}"

    @property
    def pid(self) -> int | None:
        """The engine's process id, None while none is running."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if self._process and running else None

    async def start(self) -> str:
        """Lock the folder, start the engine, wait until it serves; answers its URL. Raises `EngineError`."""
        self.engine = find_engine(self.environ)
        await self.folder.lock()
        try:
            self.folder.check(self.engine)
            self._socket = self.folder.socket(self.environ)
            await self._launch()
        except BaseException:
            await self.stop()
            raise
        self._watch = asyncio.create_task(self._supervise(), name="embedded store")
        return self.url

    async def stop(self) -> None:
        """End the engine in order (killed after 10 s), let go of the folder. May be called at any time."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait([self._watch])
            self._watch = None
        if self._process is not None:
            await _ended(self._process)
        if self._socket is not None:
            self.folder.remove_socket(self._socket)
        self.folder.unlock()

    async def _supervise(self) -> None:
        loop, pause_s = asyncio.get_running_loop(), FIRST_PAUSE_S
        while self._process is not None:
            began_s = loop.time()
            code = await self._process.wait()
            _log.error("the embedded store ended by itself", code=code, last_words=self._log.tail())
            if loop.time() - began_s > STEADY_S:
                pause_s = FIRST_PAUSE_S
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            await self._relaunch()

    async def _relaunch(self) -> None:
        """One attempt; when it fails, the dead engine wakes `_supervise` again."""
        try:
            await self._launch()
        except (EngineError, OSError) as fault:
            _log.error("the embedded store does not start", reason=str(fault))
            return
        _log.warning("the embedded store serves again", pid=self.pid, intact=self.intact)
        if self.on_restart is not None:
            try:
                await self.on_restart()
            except Exception:
                _log.exception("the server could not make use of the restarted store")

    async def _launch(self) -> None:
        assert self.engine is not None
        is_new, last, in_order = self.folder.is_new, self.folder.mark(), self._log.ended_in_order()
        mark = Mark(engine=self.engine.name, version=self.engine.version, durability=self.durability)
        self.folder.write_mark(mark)  # without boot and replid: a start that fails must not pass for a run
        self._process = await self._spawned()
        self.replid = await self._serving()
        self.intact = is_new or (_is_kept(last, in_order=in_order) and not self._log.cut_the_data())
        self.previous_replid = last.replid if last and self.intact else ""
        self.folder.write_mark(msgspec.structs.replace(mark, boot_id=boot_id(), replid=self.replid))
        _log.info("the embedded store serves", engine=str(self.engine), pid=self.pid, intact=self.intact)

    async def _spawned(self) -> asyncio.subprocess.Process:
        assert self.engine is not None
        assert self.folder.lock_fd is not None
        log = self._log.begin(f"{self.engine} ({self.engine.origin})")
        try:
            return await asyncio.create_subprocess_exec(
                self.engine.path,
                *self._options(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"PATH": os.defpath, "LC_ALL": "C"},  # seatd's own may hold secrets
                pass_fds=(self.folder.lock_fd,),  # nobody else may have the folder while the engine lives
                start_new_session=True,
                preexec_fn=_tied_to(os.getpid()),
            )
        finally:
            os.close(log)

    def _options(self) -> list[str]:
        settings = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self.folder.path),
            "appendonly": "yes",
            "appendfsync": self.durability,
            "save": "",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        return [word for name, value in settings.items() for word in (f"--{name}", value)]

    async def _serving(self) -> str:
        """Wait until the engine answers; its replication id. Kills it when it does not answer in time."""
        assert self._process is not None
        loop = asyncio.get_running_loop()
        until = loop.time() + START_TIMEOUT_S
        async with Redis(
            unix_socket_path=str(self._socket), retry=Retry(NoBackoff(), 0), socket_timeout=5
        ) as client:
            while self._process.returncode is None and loop.time() < until:
                try:
                    await client.ping()  # INFO is answered while loading, PING is not
                    return str((await client.info("replication"))["master_replid"])
                except BusyLoadingError:
                    until = loop.time() + START_TIMEOUT_S
                except (RedisError, OSError):
                    pass
                await asyncio.sleep(0.01)
        await _ended(self._process)
        raise EngineFailed(
            f"{self.engine} did not start in {self.folder.path}. Its last words: {self._log.tail()}"
        )


def _is_kept(last: Mark | None, *, in_order: bool) -> bool:
    """Whether what the last run acknowledged has surely reached its files."""
    return last is not None and last.boot_id == boot_id() != "" and (in_order or last.durability == "always")


def _tied_to(owner: int) -> Callable[[], None]:
    """What the new process sees to before it becomes the engine: die with its owner, keep files private."""

    def tie() -> None:
        os.umask(0o077)
        signalled_at_parents_end(signal.SIGTERM)
        if os.getppid() != owner:  # the owner died before the wish was known
            os._exit(1)

    return tie


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Ask the process to end, kill it when it does not."""
    for ask in (process.terminate, process.kill):
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                ask()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
