"""The store's clock against the node's own, on times that the test names."""

from __future__ import annotations

import pytest

from seatd.hub.store_clock import StoreClock

NOW_MS = 1_790_000_000_000


def seen(clock: StoreClock, rate: float, *own_s: float, took_s: float = 0.0, jump_ms: int = 0) -> None:
    for at_s in own_s:
        store_ms = NOW_MS + round(at_s * 1000 * rate) + jump_ms
        clock.seen(at_s, at_s + took_s, store_ms)


@pytest.mark.parametrize(
    ("rate", "suspect"), [(1.0, False), (1.005, False), (0.995, False), (2.0, True), (0.98, True)]
)
def test_what_runs_at_another_rate_is_suspect(rate: float, suspect: bool) -> None:
    clock = StoreClock()
    seen(clock, rate, 0.0, 2.5, 5.0, 7.5, 10.0)
    assert clock.suspect is suspect
    assert clock.drift == pytest.approx(rate - 1)


def test_short_spans_tell_nothing() -> None:
    clock = StoreClock()
    seen(clock, 2.0, 0.0, 2.5, 9.9)
    assert not clock.suspect


def test_slow_answers_tell_nothing() -> None:
    clock = StoreClock()
    seen(clock, 2.0, 0.0, 20.0, 40.0, took_s=0.5)
    assert not clock.suspect


def test_a_jump_is_suspect_for_one_span() -> None:
    clock = StoreClock()
    seen(clock, 1.0, 0.0)
    seen(clock, 1.0, 10.0, jump_ms=3600_000)
    assert clock.suspect
    seen(clock, 1.0, 20.0, jump_ms=3600_000)
    assert not clock.suspect


def test_another_server_has_another_clock() -> None:
    clock = StoreClock()
    seen(clock, 1.0, 0.0)
    clock.restart()
    seen(clock, 1.0, 10.0, jump_ms=3600_000)
    assert not clock.suspect
