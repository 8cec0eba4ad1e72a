"""Percentiles are those of sorted lists, to within the resolution."""

from __future__ import annotations

import math
import random

import pytest

from loadtest.clients.recorder import PERCENTILES, RESOLUTION, Histogram, Recorder


@pytest.mark.parametrize("number", [1, 2, 99, 5000])
def test_percentiles(number: int) -> None:
    rng = random.Random(number)
    times = sorted(rng.lognormvariate(2, 1.5) for _ in range(number))
    histogram = Histogram()
    for ms in times:
        histogram.add(ms)
    for percent in PERCENTILES:
        exact = times[math.ceil(number * percent / 100) - 1]
        assert exact <= histogram.percentile(percent) * 1.000001
        assert histogram.percentile(percent) <= exact * RESOLUTION * 1.000001
    assert histogram.figures()["max"] == round(times[-1], 3)


def test_of_nothing() -> None:
    assert Histogram().percentile(99) == 0


def test_errors_are_told_from_denials() -> None:
    recorder = Recorder()
    for what in ("denied no_seat", "closed 4302", "error closed 4102", "error no answer"):
        recorder.count(what)
    assert recorder.errors == 2
