"""One node on which sessions become more and more: what each costs at each height."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from loadtest.clients.client import VirtualClient
from loadtest.own import own_server
from loadtest.processes import cpu_s, memory_kib
from loadtest.rows.cores import apart
from loadtest.rows.crowd import BEAT_S, idle
from loadtest.rows.engine import engine
from loadtest.rows.people import FURTHER, NEED, plan
from loadtest.scenarios.plan import some_at_once

BEATS = 2


async def climbed(heights: Sequence[int], say: Callable[[str], None]) -> dict[str, list[float]]:
    """At each number of sessions: memory of one, CPU of a sign-in since the height before, CPU of a beat, and the scripts a
    second that the store is asked for when all are idle. It ends below a height that not all have reached."""
    found: dict[str, list[float]] = {"session_kib": [], "sign_in_us": [], "beat_us": [], "scripts_per_s": []}
    async with own_server(heights[-1], NEED, FURTHER) as server, engine(server.store) as store:
        apart([server])
        people = plan([server], heights[-1]).everybody()
        empty_kib, there, idle_share = memory_kib(server.pid), 0, 0.0
        for height in heights:
            say(f"up to {height:,} sessions")
            used_s, took_s = await _signed_in(server.pid, people[there:height])
            if not all(one.connected for one in people[:height]):
                say(f"not all have signed in: {dict(people[0].terms.recorder.counts)}")
                break
            found["session_kib"].append((memory_kib(server.pid) - empty_kib) / height)
            say(f"{height:,} sessions are idle")
            beat_us, scripts_per_s = await idle(server, store, height, BEATS)
            before, idle_share = idle_share, beat_us / 1e6 * height / BEAT_S
            each_us = sign_in_us(height - there, used_s, took_s, (before + idle_share) / 2)
            there = height
            found["sign_in_us"].append(each_us)
            found["beat_us"].append(beat_us)
            found["scripts_per_s"].append(scripts_per_s)
    return found


def sign_in_us(number: int, used_s: float, took_s: float, idle_share: float) -> float:
    """CPU of one of so many that took so long: without the share of the core that idle sessions have used meanwhile, which at
    ten thousand of them would be most of it."""
    return (used_s - took_s * idle_share) / number * 1e6


async def _signed_in(pid: int, people: Sequence[VirtualClient]) -> tuple[float, float]:
    """CPU seconds of the node, and seconds on the clock."""
    before_s, began_s = cpu_s(pid), time.monotonic()
    await some_at_once(people, lambda one: one.sign_in())
    return cpu_s(pid) - before_s, time.monotonic() - began_s
