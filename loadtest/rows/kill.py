"""A node dies with everybody on it: how long until all are back on the other one, each once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from os import getpid, kill
from signal import SIGKILL

from loadtest.own import own_servers
from loadtest.processes import children, cpu_s
from loadtest.rows.cores import apart
from loadtest.rows.people import FURTHER, NEED, cut, plan, registry
from loadtest.rows.row import Row
from loadtest.rows.scale import Scale
from loadtest.scenarios import kill as scenario
from loadtest.scenarios.plan import Plan


async def measured(scale: Scale, _names: Collection[str], say: Callable[[str], None]) -> list[Row]:
    """By SIGKILL. Who has another session afterwards, or two, or none, makes it fail."""
    async with own_servers(2, scale.clients, NEED, FURTHER) as servers:
        apart(servers)
        crowd = plan(servers, scale.clients)
        used = _Used({"node": servers[0].pid, "store": children(servers[0].pid)[0], "clients": getpid()})

        def struck() -> None:
            used.begin()
            kill(servers[-1].pid, SIGKILL)

        crowd.kill = struck
        say(f"{scale.clients:,} sign in, their node is killed, they come back on the other one")
        await scenario.run(crowd)
        costs = used.so_far()
        counted = await registry(servers[0]).sessions()
        story = wrong(crowd, crowd.recorder.steps["back"].count, counted)
        cut(crowd.crowd)
    step = crowd.recorder.steps["back"]
    more = {
        "p50_s": step.percentile(50) / 1000,
        "back": float(step.count),
        "tried_again": float(crowd.recorder.counts["tried again"]),
        "sessions_by_the_server": float(counted),
        **costs,
    }
    return [Row("kill", step.max_ms / 1000, more=more, wrong=story)]


class _Used:
    """What it costs whom, in seconds of CPU: where it takes long, one sees who had no time."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = pids
        self._before: dict[str, float] = {}

    def begin(self) -> None:
        """From now on it counts."""
        self._before = {name: cpu_s(pid) for name, pid in self._pids.items()}

    def so_far(self) -> dict[str, float]:
        """By name."""
        return {f"{name}_cpu_s": cpu_s(pid) - self._before[name] for name, pid in self._pids.items()}


def wrong(crowd: Plan, back: int, counted: int) -> str:
    """What must not have happened, as a sentence; nothing when all are back, each once."""
    if crowd.recorder.errors:
        return f"{dict(crowd.recorder.counts)}"
    if not back == counted == crowd.clients:
        return f"{crowd.clients} were there, {back} are back, the server counts {counted}"
    return ""
