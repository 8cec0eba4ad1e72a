"""One worker process as its supervisor has it: started, watched, started again, stopped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import PIPE, Process

import msgspec
import structlog

from seatd.workers.plan import Plan, Report

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 5.0  # between attempts to start a worker again
STEADY_S = 60.0  # a worker that ran this long is given a fresh start
MARGIN_S = 15.0  # beyond the time for draining: what a node's other steps may take when all are late

log = structlog.get_logger(__name__)


class WorkerFailed(Exception):
    """A worker did not become ready; the text says why."""


class WorkerProcess:
    """Starts again when it ends by itself. It ends with this process, however that ends (see `worker`)."""

    def __init__(self, plan: Plan) -> None:
        self.name = plan.settings.node.name
        self._plan = plan
        self._process: Process | None = None
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Ready when this returns. Raises `WorkerFailed`."""
        process = await self._launch()
        self._watch = asyncio.create_task(self._keep(process), name=f"worker {self.name}")

    async def stop(self) -> None:
        """Ends it in order; killed when it takes far longer than it may. May be called at any time."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait([self._watch])
        process = self._process
        if process is None or process.returncode is not None:
            return
        _signalled(process, kill=False)
        try:
            await asyncio.wait_for(process.wait(), self._plan.settings.node.drain_s + MARGIN_S)
        except TimeoutError:
            log.error("a worker does not end: killed", worker=self.name, pid=process.pid)
            _signalled(process, kill=True)
            await process.wait()

    async def _keep(self, process: Process) -> None:
        loop, pause_s = asyncio.get_running_loop(), FIRST_PAUSE_S
        while True:
            began_s = loop.time()
            code = await process.wait()
            log.error("a worker ended by itself", worker=self.name, code=code)
            if loop.time() - began_s > STEADY_S:
                pause_s = FIRST_PAUSE_S
            process, pause_s = await self._launched_again(pause_s)
            log.warning("a worker serves again", worker=self.name, pid=process.pid)

    async def _launched_again(self, pause_s: float) -> tuple[Process, float]:
        """Tries until it is ready; the pause before the next attempt, should it end soon."""
        while True:
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            try:
                return await self._launch(), pause_s
            except (WorkerFailed, OSError) as fault:
                log.error("a worker does not start", worker=self.name, reason=str(fault))

    async def _launch(self) -> Process:
        process = self._process = await self._spawned()
        assert process.stdin is not None
        assert process.stdout is not None
        # The pipe stays open: its end is the sign that we are gone.
        with contextlib.suppress(ConnectionError):  # it has ended already: its exit code tells more
            process.stdin.write(self._plan.packed())
            await process.stdin.drain()
        said = await process.stdout.readline()
        if not said:
            raise WorkerFailed(f"worker {self.name} ended with code {await process.wait()} as it started")
        report = msgspec.json.decode(said, type=Report)
        if report.failure:
            await process.wait()
            raise WorkerFailed(report.failure)
        return process

    async def _spawned(self) -> Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # what lies in the working directory is not part of the program
            "-m",
            "seatd.workers",
            self.name,
            stdin=PIPE,
            stdout=PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},  # but the same program
            start_new_session=True,  # a Ctrl-C in the terminal is for the supervisor
        )


def _signalled(process: Process, *, kill: bool) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill() if kill else process.terminate()
