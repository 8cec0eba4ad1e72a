"""What sessions cost as they become more."""

from __future__ import annotations

import pytest

from loadtest.rows import climb
from loadtest.rows.cores import together


def test_idle_sessions_are_no_part_of_a_sign_in() -> None:
    assert climb.sign_in_us(1000, used_s=3.0, took_s=10.0, idle_share=0.0) == pytest.approx(3000)
    assert climb.sign_in_us(1000, used_s=3.0, took_s=10.0, idle_share=0.2) == pytest.approx(1000)


async def test_each_height_has_its_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loadtest.rows.climb.BEATS", 1)
    said: list[str] = []
    try:
        found = await climb.climbed((100, 150), said.append)
    finally:
        together()
    assert {len(values) for values in found.values()} == {2}
    assert said == [
        *("up to 100 sessions", "100 sessions are idle"),
        *("up to 150 sessions", "150 sessions are idle"),
    ]
    assert all(each > 0 for each in (*found["session_kib"], *found["scripts_per_s"]))


async def test_it_ends_below_a_height_that_not_all_have_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loadtest.rows.climb.BEATS", 1)
    real = climb.own_server
    monkeypatch.setattr(climb, "own_server", lambda _seats, need, further: real(40, need, further))
    said: list[str] = []
    try:
        found = await climb.climbed((30, 60), said.append)
    finally:
        together()
    assert {len(values) for values in found.values()} == {1}
    assert "'denied no_seat': 20" in said[-1]
