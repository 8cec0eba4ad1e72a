"""The timing wheel: everybody once per turn, spread over it, nobody early, and no trouble spreads."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from seatd.hub.beats import SLOTS, Wheel


class Member:
    """Counts its beats, and may do something at each."""

    def __init__(self, then: Callable[[], None] = lambda: None) -> None:
        self.beats = 0
        self._then = then

    def beat(self) -> None:
        self.beats += 1
        self._then()


@pytest.fixture
def wheel() -> Wheel:
    return Wheel(1.0, lambda lag_s: None)


def turn(wheel: Wheel, slots: int = SLOTS) -> None:
    for _ in range(slots):
        wheel.tick()


@pytest.mark.parametrize("start", [0, 1, SLOTS - 1, SLOTS, 3 * SLOTS + 7])
def test_the_first_beat_comes_one_beat_after_joining(wheel: Wheel, start: int) -> None:
    turn(wheel, start)
    member = Member()
    wheel.add(member)
    turn(wheel, SLOTS - 1)
    assert member.beats == 0
    wheel.tick()
    assert member.beats == 1


def test_everybody_once_per_turn(wheel: Wheel) -> None:
    members = []
    for _ in range(2 * SLOTS):
        members.append(Member())
        wheel.add(members[-1])
        wheel.tick()
    before = [member.beats for member in members]
    turn(wheel, 5 * SLOTS)
    assert [member.beats - earlier for member, earlier in zip(members, before, strict=True)] == [5] * len(
        members
    )


def test_those_who_join_at_other_times_do_not_speak_at_once(wheel: Wheel) -> None:
    said: list[int] = []
    for number in range(SLOTS):
        wheel.add(Member(lambda number=number: said.append(number)))  # type: ignore[misc]
        wheel.tick()
    said.clear()
    for slot in range(1, SLOTS + 1):
        wheel.tick()
        assert said == [number % SLOTS for number in range(1, slot + 1)]


def test_who_has_left_is_not_beaten(wheel: Wheel) -> None:
    member, other = Member(), Member()
    wheel.add(member)
    wheel.add(other)
    turn(wheel)
    wheel.remove(member)
    wheel.remove(member)
    turn(wheel)
    assert (member.beats, other.beats) == (1, 2)


def test_members_may_leave_and_join_while_it_beats(wheel: Wheel) -> None:
    late = Member()
    leaver = Member(lambda: wheel.remove(leaver))
    host = Member(lambda: wheel.add(late))
    for member in (leaver, host):
        wheel.add(member)
    turn(wheel)
    assert (leaver.beats, host.beats, late.beats) == (1, 1, 0)
    wheel.remove(host)
    turn(wheel)
    assert (leaver.beats, late.beats) == (1, 1)


def test_one_members_trouble_is_its_own(wheel: Wheel) -> None:
    def fail() -> None:
        raise RuntimeError("trouble")

    members = [Member(), Member(fail), Member()]
    for member in members:
        wheel.add(member)
    turn(wheel, 2 * SLOTS)
    assert [member.beats for member in members] == [2, 2, 2]


async def test_after_a_pause_it_does_not_catch_up() -> None:
    """A machine that was suspended must not send every client a burst of beats."""
    lags: list[float] = []
    wheel = Wheel(SLOTS / 1000, lags.append)
    member = Member()
    wheel.add(member)
    turning = asyncio.create_task(wheel.turn())
    while not member.beats:
        await asyncio.sleep(0.001)
    before = member.beats
    time.sleep(10 * SLOTS / 1000)  # noqa: ASYNC251 -- the pause
    await asyncio.sleep(SLOTS / 2000)
    assert member.beats - before <= 1
    assert max(lags) >= 9 * SLOTS / 1000
    turning.cancel()
