"""What the table says of a figure."""

from __future__ import annotations

import os
import subprocess

import pytest

from loadtest.processes import children, cpu_s, memory_kib
from loadtest.rows import against, plain


@pytest.mark.parametrize(
    ("seatd", "verdict"), [(1.4, "aim"), (1.41, "must"), (2.0, "must"), (2.01, "FAIL"), (0, "aim")]
)
def test_at_most(seatd: float, verdict: str) -> None:
    assert plain("a", "us", seatd, 2.0, 1.4).verdict == verdict
    assert against("a", "us", 10.0, 10 * seatd, 2.0, 1.4).verdict == verdict


@pytest.mark.parametrize(("seatd", "verdict"), [(50, "aim"), (49, "must"), (25, "must"), (24, "FAIL")])
def test_at_least(seatd: float, verdict: str) -> None:
    assert against("a", "1/s", 100, seatd, 0.25, 0.5, at_least=True).verdict == verdict


def test_what_a_process_costs() -> None:
    before_s = cpu_s(os.getpid())
    while cpu_s(os.getpid()) - before_s < 0.05:
        sum(range(10_000))
    assert memory_kib(os.getpid()) > 1000
    with subprocess.Popen(["sleep", "60"]) as child:
        assert child.pid in children(os.getpid())
        child.kill()
    assert child.pid not in children(os.getpid())
