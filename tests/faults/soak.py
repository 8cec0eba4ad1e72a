"""Harm without end: one a minute, or two at once, while people come and go, for as long as the run is told."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

from seatd.descriptors import LEAST_KEPT
from tests.faults.churn import Churn
from tests.faults.fault import fault
from tests.faults.field import Field
from tests.faults.harms import ALL, STEADY, Harm
from tests.faults.people import all_live
from tests.faults.trial import Trial
from tests.faults.usage import besides, between, dead, resident_kb
from tests.servers import NEVER

ROUND_S = 60.0
LONG_S = 3 * 3600.0
WARM_S = 2 * 3600.0
SLOPE_KB = 1024.0
"""Of an hour, from hour 2 on, in a run of three hours and more; a shorter one tells it, and is judged by what it gains."""
GAIN_KB = 4096.0
STRAY = 5
STAY_S = 2.0


class Sample(NamedTuple):
    """What the last node and the store use while nothing is done to them; seconds since the beginning. Descriptors are
    counted without connections; those of the node to the store are as many as it needed at once, and counted apart."""

    at_s: float
    node_kb: float
    store_kb: float
    node_open: int
    store_open: int
    node_to_store: int


@fault(
    "F52",
    "a random harm each minute while people come and go, for as long as --soak says (the matrix: 24 h)",
    "memory of node and store grows by at most 1 MB an hour after hour 2 (in a run of less than 3 h by at most 4 MB from its "
    "second to its last third); descriptors constant, give or take 5; the node has never more connections to the "
    "store than it keeps descriptors back; no error in the logs; no violation",
    long=True,
)
async def soak(trial: Trial) -> None:
    samples = await _go_on(Field(trial), STEADY, at_once=1)
    span_s = samples[-1].at_s
    late = [sample for sample in samples if sample.at_s > min(WARM_S, span_s / 3)]
    at_s = [sample.at_s for sample in late]
    _memory(trial, "node", at_s, [sample.node_kb for sample in late])
    _memory(trial, "store", at_s, [sample.store_kb for sample in late])
    links = [sample.node_to_store for sample in late]
    trial.at_most("node: descriptors off their median", _off([sample.node_open for sample in late]), STRAY)
    trial.at_most("store: descriptors off their median", _off([sample.store_open for sample in late]), STRAY)
    trial.told("node: connections to the store gained", _gained(links))
    trial.at_most("node: most connections to the store", max(links), LEAST_KEPT)


def _memory(trial: Trial, name: str, at_s: Sequence[float], kb: Sequence[float]) -> None:
    per_h = _slope(at_s, kb) * 3600
    if at_s[-1] >= LONG_S:
        trial.at_most(f"{name}: memory, kB an hour", per_h, SLOPE_KB)
    else:
        trial.told(f"{name}: memory, kB an hour", per_h)
        trial.at_most(f"{name}: memory gained, kB", _gained(kb), GAIN_KB)
    trial.told(f"{name}: memory, kB", kb[-1])


def _gained(values: Sequence[float]) -> float:
    """By how much the median of the second half is above that of the first."""
    half = len(values) // 2
    return statistics.median(values[half:]) - statistics.median(values[:half] or values)


@fault(
    "F53",
    "two random harms at once, again and again, while people come and go, for as long as --soak says (the matrix: 60 min)",
    "no error in the logs; no violation",
    long=True,
)
async def two_at_once(trial: Trial) -> None:
    await _go_on(Field(trial), ALL, at_once=2)


async def _go_on(field: Field, harms: Sequence[Harm], *, at_once: int) -> list[Sample]:
    """Round after round; what was used at the end of each."""
    trial, rng = field.trial, Random(field.trial.seed)
    await field.lay_out(trial.size // 2, seats=trial.size * 6 // 10)
    stay_s = STAY_S * max(1.0, trial.long_s / 3600)  # the history lies in memory
    churn = Churn(trial, trial.size // 5, stay_s=stay_s, seed=trial.seed, wait_s=60).start()
    done: Counter[str] = Counter()
    samples, began_s = [await _sample(field, 0.0)], time.monotonic()
    while (so_far_s := time.monotonic() - began_s) < trial.long_s:
        chosen = rng.sample(harms, at_once)
        done.update(harm.__name__ for harm in chosen)
        await _round(field, chosen, [Random(rng.random()) for _ in chosen], began_s + so_far_s)
        samples.append(await _sample(field, time.monotonic() - began_s))
    await churn.stop()
    await all_live(field.regulars, trial.times.free + trial.times.recovery)
    await field.quiet()
    trial.told("ran for, min", (time.monotonic() - began_s) / 60)
    trial.told("harms done", sum(done.values()))
    trial.told("sign-ins", sum(1 for _ in trial.history.of("hello")))
    trial.told("forced out", field.kicked)
    trial.exactly("errors in logs", sum(len(NEVER.findall(_log(node.log_file))) for node in trial.nodes), 0)
    trial.remarks.append(f"seed {trial.seed} (again: --seed {trial.seed})")
    trial.remarks.append(", ".join(f"{name} {number}" for name, number in sorted(done.items())))
    return samples


async def _round(field: Field, harms: Sequence[Harm], rngs: Sequence[Random], began_s: float) -> None:
    """All at the same time; then rest to the end of the minute, or longer, until it is mended."""
    told = {"harms": [harm.__name__ for harm in harms]}
    field.trial.history.note("trial", "invoke", "harm", value=told)
    await asyncio.gather(*(harm(field, rng) for harm, rng in zip(harms, rngs, strict=True)))
    field.trial.history.note("trial", "ok", "harm", value=told)
    await asyncio.sleep(
        max(field.trial.times.scaled(5), began_s + field.trial.times.scaled(ROUND_S) - time.monotonic())
    )


async def _sample(field: Field, at_s: float) -> Sample:
    node, store = field.nodes[-1], field.store.pid
    sample = Sample(
        at_s,
        resident_kb(node.process.pid),
        resident_kb(store),
        besides(node.process.pid, node.clients, field.links[-1].address),
        besides(store, field.store.address),
        between(node.process.pid, field.links[-1].address) + dead(node.process.pid),
    )
    field.trial.history.note("trial", "ok", "usage", value=sample._asdict())
    return sample


def _slope(x: Sequence[float], y: Sequence[float]) -> float:
    return statistics.linear_regression(x, y).slope if len(set(x)) > 1 else 0.0


def _off(values: Sequence[int]) -> float:
    middle = statistics.median(values)
    return max(abs(value - middle) for value in values)


def _log(path: Path) -> str:
    return path.read_text()
