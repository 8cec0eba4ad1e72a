"""Real nodes for tests: `seatd serve` processes on free ports, in folders of their own.

However a test ends, its nodes end with it (and with a node its embedded store); then every log is read for what a server
must never say.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from seatd.licensing.keys import public_pem
from tests.canary.marks import leaks, mark
from tests.engine import tested_engine, tied_to
from tests.hub.token_factory import SECRET
from tests.licensing.build import VENDOR
from tests.preloaded import TOLD_OF_LEAKS, Forked, started

READY_S = 30.0
STOP_S = 20.0

NEVER = re.compile(r"Traceback|never retrieved|never awaited|was destroyed|py\.warnings")
"""Signs of a bug in a server's log."""


async def eventually(condition: Callable[[], object]) -> None:
    """Waits until the condition holds; an async one is awaited each time. pytest's time limit is the bound."""
    while not (await holds if inspect.isawaitable(holds := condition()) else holds):
        await asyncio.sleep(0.005)


class Server:
    """One `seatd serve` process. `folder` is its data folder; `clients`, `admin` and `store` are known once it is ready."""

    clients: str
    admin: str
    store: str

    def __init__(
        self,
        folder: Path,
        log_file: Path,
        name: str,
        store: str | None,
        settings: dict[str, str],
        descriptors: int = 0,
        under: Sequence[str] = (),
    ) -> None:
        self.folder = folder
        self.log_file = log_file
        self.name = name
        self._arguments = ["serve", "--data", str(folder), "--node", name]
        self._arguments += ["--store", store] if store else []
        self._under = under
        self._settings = settings
        self._descriptors = descriptors
        self.launch()

    def launch(self) -> None:
        """Starts the process (again, after it has ended) and returns at once."""
        self.log_file.touch(0o600)
        self._said = self.log_file.stat().st_size
        environ, folder = _environment(self._settings), self.folder.parent
        self.process: Forked | subprocess.Popen[bytes] = (
            self._by_itself(environ, folder)
            if self._under
            else started(
                self._arguments,
                environ=environ,
                folder=folder,
                log_file=self.log_file,
                descriptors=self._descriptors,
            )
        )

    def _by_itself(self, environ: dict[str, str], folder: Path) -> subprocess.Popen[bytes]:
        """A Python that imports all that it needs."""
        with open(self.log_file, "ab") as log:
            return subprocess.Popen(
                [*self._under, "-m", "seatd", *self._arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environ,
                cwd=folder,
                preexec_fn=_prepared(self._descriptors),
            )

    def relaunch(self) -> None:
        """Starts the process again on the addresses that it had, so that clients find it where it was."""
        self._settings |= {"CLIENTS_LISTEN": self.clients, "ADMIN_LISTEN": self.admin}
        self.launch()

    def wait_ready(self) -> Self:
        """Waits until the node says that it is ready, and its readiness page too."""
        give_up_s = time.monotonic() + READY_S
        while "seatd ready" not in self.said or not self._is_ready():
            assert self.process.poll() is None, f"the node has ended: {self.said}"
            assert time.monotonic() < give_up_s, f"the node is not ready: {self.said}"
            time.sleep(0.01)
        return self

    def _is_ready(self) -> bool:
        state = json.loads((self.folder / "seatd.json").read_text())
        self.clients, self.admin, self.store = state["clients"], state["admin"], state["store"]
        mark("operator's API token", self.token)
        try:
            with urllib.request.urlopen(f"http://{self.admin}/readyz", timeout=5) as page:
                return bool(page.status == 200)
        except urllib.error.HTTPError as not_yet:
            not_yet.close()
            return False

    @property
    def said(self) -> str:
        """What the process has said since it was started the last time, log and standard output."""
        return self.log_file.read_bytes()[self._said :].decode()

    @property
    def token(self) -> str:
        """The operator's API token of this node."""
        return (self.folder / "admin.token").read_text().strip()

    def engine_pid(self) -> int:
        """The process of its embedded store."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return int(children.split()[0])

    async def call(self, method: str, path: str, body: object = None) -> Any:
        """The JSON answer of a REST call, which must succeed."""
        headers = {"Authorization": f"Bearer {self.token}"}
        async with (
            aiohttp.ClientSession(headers=headers) as http,
            http.request(method, f"http://{self.admin}{path}", json=body) as response,
        ):
            text = await response.text()
            assert response.status < 300, text
            return json.loads(text) if text else None

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Sends a signal and waits for the end; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(STOP_S)

    def kill(self) -> None:
        """Ends it without a word."""
        self.stop(signal.SIGKILL)


class Servers:
    """Starts nodes; on leaving stops those that still run, looks into their logs and removes their folders."""

    def __enter__(self) -> Self:
        self._root = Path(tempfile.mkdtemp(prefix="seatd-"))
        (self._root / "vendor.pem").write_bytes(public_pem(VENDOR.public_key()))
        self._servers: list[Server] = []
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            codes = [self._ended(server) for server in reversed(self._servers)]
            logs = [server.log_file.read_text() for server in self._servers]
        finally:
            shutil.rmtree(self._root)
        if kind is None:
            for log in logs:
                assert not leaks(log), f"a {', a '.join(leaks(log))} stands in a log: {log}"
            assert not any(codes), f"exit codes {codes}: {logs}"
            for log in logs:
                assert not NEVER.search(log), log

    def start(self, name: str = "a", *, store: str | None = None, **settings: str) -> Server:
        """A node that is ready. `settings` by their variables without `SEATD_`: `SESSIONS_BEAT="1s"`."""
        return self.launch(name, store=store, folder=None, **settings).wait_ready()

    def launch(
        self,
        name: str = "a",
        *,
        store: str | None = None,
        folder: Path | None = None,
        descriptors: str = "",
        under: Sequence[str] = (),
        **settings: str,
    ) -> Server:
        """The same without waiting: it may also end by itself. `folder`: a data folder other than its own; `descriptors`:
        how many it may have open (as many as the tests, without a number); `under`: a program that becomes or runs Python
        with the arguments that follow (see `tests.preloaded` for what differs without one)."""
        listen = {"CLIENTS_LISTEN": "127.0.0.1:0", "ADMIN_LISTEN": "127.0.0.1:0"}
        trust = {"LICENSES_TRUST": str(self._root / "vendor.pem")}
        log_file = self._root / f"{name}.log"
        own = folder or self._root / name
        server = Server(own, log_file, name, store, listen | trust | settings, int(descriptors or 0), under)
        self._servers.append(server)
        return server

    @staticmethod
    def _ended(server: Server) -> int:
        """The exit code of a server that this ended; 0 for one that the test has ended itself."""
        if server.process.poll() is not None:
            return 0
        try:
            return server.stop()
        except subprocess.TimeoutExpired:
            server.kill()
            return -signal.SIGKILL


def _prepared(descriptors: int) -> Callable[[], None]:
    """What a node does before it becomes one: it ends with the tests, and may have only so many descriptors open."""
    tie = tied_to(os.getpid())

    def prepare() -> None:
        tie()
        if descriptors:
            resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

    return prepare


def _environment(settings: dict[str, str]) -> dict[str, str]:
    """The tests' own environment without any settings of seatd in it, and these instead."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("SEATD_")},
        "SEATD_STORE_BIN": str(tested_engine().path),
        "SEATD_TOKENS_HS256_SECRET": SECRET,
        **TOLD_OF_LEAKS,
        **{f"SEATD_{name}": value for name, value in settings.items()},
    }
