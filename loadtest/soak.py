"""`./dev bench soak`: waves of people who sign in, work and leave; whether memory stays where it is. JSON and a picture."""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean

from rich.console import Console
from rich.table import Table

from loadtest.clients.client import VirtualClient
from loadtest.machine import machine
from loadtest.own import own_server
from loadtest.plot import Panel, plot
from loadtest.processes import memory_kib
from loadtest.rows.engine import engine
from loadtest.rows.people import FURTHER, NEED, all_gone, all_signed_in, plan
from loadtest.scenarios.plan import Plan, some_at_once
from loadtest.steps import Steps

FLAT = 1.02
"""The last third of the waves has at most so many times the memory of the middle third. (In the first one caches fill.)"""
LEAST_WAVES = 9
SETTLED_S = 1.0
MIB = 1024 * 1024


@dataclass(frozen=True)
class Sample:
    """After a wave, when everybody has left."""

    at_s: float
    node_bytes: float
    store_bytes: float


async def run(options: argparse.Namespace) -> int:
    """Waves for so many minutes; 0 when the memory of node and store is flat."""
    before = machine()
    samples = await waves(options.clients, options.minutes * 60)
    grown = {
        "node": growth([one.node_bytes for one in samples]),
        "store": growth([one.store_bytes for one in samples]),
    }
    about = {"clients": options.clients, "minutes": options.minutes, "waves": len(samples), "must": FLAT}
    told = {"machine": before, **about, "growth": grown, "samples": [asdict(one) for one in samples]}
    options.out.write_text(json.dumps(told, indent=2) + "\n")
    drawn(options.out)
    _show(samples, grown)
    print(f"the figures are in {options.out}, a picture is beside it")
    return int(any(verdict(one) != "flat" for one in grown.values()))


async def waves(clients: int, seconds: float) -> list[Sample]:
    """A sample of each wave, for so long."""
    async with own_server(clients, NEED, FURTHER) as server, engine(server.store) as store:
        began_s, samples = time.monotonic(), list[Sample]()
        with Steps() as steps:
            while time.monotonic() < began_s + seconds:
                steps.say(f"wave {len(samples) + 1}: {clients:,} sign in, work, and leave")
                await _wave(plan([server], clients))
                await asyncio.sleep(SETTLED_S)
                node_bytes, store_bytes = memory_kib(server.pid) * 1024, await store.memory_bytes()
                samples.append(Sample(time.monotonic() - began_s, node_bytes, store_bytes))
        return samples


async def _wave(crowd: Plan) -> None:
    people = await all_signed_in(crowd)
    await some_at_once(people, _works)
    await all_gone(people)
    if crowd.recorder.errors:
        raise ValueError(f"{dict(crowd.recorder.counts)}")


async def _works(one: VirtualClient) -> None:
    if await one.acquire(FURTHER):
        await one.release(FURTHER)


def growth(values: Sequence[float]) -> float | None:
    """The mean of the last third against that of the middle third; None when there are too few to tell."""
    if len(values) < LEAST_WAVES:
        return None
    third = len(values) // 3
    return mean(values[-third:]) / mean(values[-2 * third : -third])


def verdict(grown: float | None) -> str:
    """`flat`, `GROWS`, or that there were too few waves to tell."""
    if grown is None:
        return "too few waves"
    return "flat" if grown <= FLAT else "GROWS"


def _show(samples: Sequence[Sample], grown: dict[str, float | None]) -> None:
    table = Table(title=f"memory after each of {len(samples)} waves, MiB", title_justify="left")
    for column in ("", "first", "last", "last third / middle third", "at most", "verdict"):
        table.add_column(column, justify="right" if column else "left")
    for name, ratio in grown.items():
        first, last = (getattr(one, f"{name}_bytes") / MIB for one in (samples[0], samples[-1]))
        told = "" if ratio is None else f"{ratio:.3f}"
        table.add_row(name, f"{first:.1f}", f"{last:.1f}", told, f"{FLAT:g}", verdict(ratio))
    Console(width=110, highlight=False).print(table)


def drawn(recorded: Path) -> None:
    """Writes the picture beside what was recorded."""
    told = json.loads(recorded.read_text())
    panels = [
        Panel(
            f"{name}: memory after each wave (MiB)",
            "minutes",
            {name: [(one["at_s"] / 60, one[f"{name}_bytes"] / MIB) for one in told["samples"]]},
        )
        for name in ("node", "store")
    ]
    note = f"{told['waves']} waves of {told['clients']:,} people; {told['machine']['at'][:10]}"
    recorded.with_suffix(".svg").write_text(plot("People come, work and leave", note, panels))
