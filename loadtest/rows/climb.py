"""One node on which sessions become more and more: what each costs at each height."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from loadtest.own import own_server
from loadtest.processes import cpu_s, memory_kib
from loadtest.rows.cores import apart
from loadtest.rows.crowd import idle
from loadtest.rows.engine import engine
from loadtest.rows.people import FURTHER, NEED, plan
from loadtest.scenarios.plan import some_at_once

BEATS = 2


async def climbed(heights: Sequence[int], say: Callable[[str], None]) -> dict[str, list[float]]:
    """At each number of sessions: memory of one, CPU of a sign-in since the height before, CPU of a beat, and the scripts a
    second that the store is asked for when all are idle."""
    found: dict[str, list[float]] = {"session_kib": [], "sign_in_us": [], "beat_us": [], "scripts_per_s": []}
    async with own_server(heights[-1], NEED, FURTHER) as server, engine(server.store) as store:
        apart([server])
        people = plan([server], heights[-1]).everybody()
        empty_kib, there = memory_kib(server.pid), 0
        for height in heights:
            say(f"up to {height:,} sessions")
            before_s = cpu_s(server.pid)
            await some_at_once(people[there:height], lambda one: one.sign_in())
            if not all(one.connected for one in people[:height]):
                raise ValueError(f"not all have signed in: {dict(people[0].terms.recorder.counts)}")
            found["sign_in_us"].append((cpu_s(server.pid) - before_s) / (height - there) * 1e6)
            found["session_kib"].append((memory_kib(server.pid) - empty_kib) / height)
            say(f"{height:,} sessions are idle")
            beat_us, scripts_per_s = await idle(server, store, height, BEATS)
            found["beat_us"].append(beat_us)
            found["scripts_per_s"].append(scripts_per_s)
            there = height
    return found
