"""A worker: a node whose store, ports and end are its supervisor's business."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading

import structlog

from seatd import descriptors, logs
from seatd.app import FAILURES, Node, Worker
from seatd.serving import keep_what_is_here, uvloop_factory
from seatd.store.parent_death import signalled_at_parents_end
from seatd.web.siblings import Siblings
from seatd.workers.plan import Plan, Report


def main() -> int:
    """Runs until it is told to stop, or its supervisor is gone; the process's exit code."""
    plan = Plan.read(sys.stdin.buffer)
    os.umask(0o077)  # the socket for the others is for nobody else
    signalled_at_parents_end(signal.SIGKILL)
    threading.Thread(target=_end_with_supervisor, name="supervisor's end", daemon=True).start()
    settings = plan.settings
    logs.configure(settings.log.level, settings.log.format)
    structlog.contextvars.bind_contextvars(worker=settings.node.name)
    descriptors.raise_limit()
    with asyncio.Runner(loop_factory=uvloop_factory()) as runner:
        return runner.run(_run(plan))


async def _run(plan: Plan) -> int:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    # Twice may come by itself: from the supervisor, and from systemd to all. Only the supervisor ends a worker at once.
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    try:
        node = Node(plan.settings, Worker(Siblings(plan.settings.node.name, plan.places), plan.owns_engine))
        await node.start()
    except FAILURES as error:
        _say(Report(str(error) or type(error).__name__))
        return 1
    keep_what_is_here()
    _say(Report())
    await stopped.wait()
    await node.stop()
    return 0


def _say(report: Report) -> None:
    sys.stdout.buffer.write(report.line())
    sys.stdout.buffer.flush()


def _end_with_supervisor() -> None:
    """Nothing more is ever sent, so what comes is the end of the pipe: the supervisor has ended, and its store with it.

    In a thread, for a loop that hangs must not outlive it either. On Linux the kernel sees to it as well, also for a process
    that is stopped: left alone it would keep the port, and be sent connections.
    """
    os.read(0, 1)
    os._exit(1)
