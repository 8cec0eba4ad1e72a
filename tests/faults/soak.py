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

from tests.faults.churn import Churn
from tests.faults.fault import fault
from tests.faults.field import Field
from tests.faults.harms import ALL, STEADY, Harm
from tests.faults.people import all_live
from tests.faults.trial import Trial
from tests.faults.usage import besides, resident_kb
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
    counted without the connections that others have made to them."""

    at_s: float
    node_kb: float
    store_kb: float
    node_open: int
    store_open: int


@fault(
    "F52",
    "a random harm each minute while people come and go, for as long as --soak says (the matrix: 24 h)",
    "memory of node and store grows by at most 1 MB an hour after hour 2 (in a run of less than 3 h by at most 4 MB from its "
    "second to its last third); descriptors constant, give or take 5; no error in the logs; no violation",
    long=True,
)
async def soak(trial: Trial) -> None:
    field = Field(trial)
    samples = await _go_on(field, STEADY, at_once=1)
    span_s = samples[-1].at_s
    late = [sample for sample in samples if sample.at_s > min(WARM_S, span_s / 3)]
    for name, kb in (("node", [s.node_kb for s in late]), ("store", [s.store_kb for s in late])):
        per_h = _slope([sample.at_s for sample in late], kb) * 3600
        half = len(kb) // 2
        if span_s >= LONG_S:
            trial.at_most(f"{name}: memory, kB an hour", per_h, SLOPE_KB)
        else:
            trial.told(f"{name}: memory, kB an hour", per_h)
            gain = statistics.median(kb[half:]) - statistics.median(kb[:half])
            trial.at_most(f"{name}: memory gained, kB", gain, GAIN_KB)
    trial.told("node: memory, kB", late[-1].node_kb)
    trial.told("store: memory, kB", late[-1].store_kb)
    trial.at_most("node: descriptors off their median", _off([s.node_open for s in late]), STRAY)
    trial.at_most("store: descriptors off their median", _off([s.store_open for s in late]), STRAY)


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
        besides(node.process.pid, node.clients),
        besides(store, field.store.address),
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
