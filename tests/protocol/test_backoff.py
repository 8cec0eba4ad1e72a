"""The waits of a client, beyond the vectors: their bounds, whatever the chance."""

import random

from hypothesis import given
from hypothesis import strategies as st

from seatd_protocol.backoff import LONGEST_S, SHORTEST_S, Backoff
from seatd_protocol.codes import Action


@given(st.lists(st.sampled_from(Action), max_size=50), st.randoms())
def test_the_bounds(actions: list[Action], chance: random.Random) -> None:
    backoff = Backoff(chance.random)
    at_once = 0
    for action in actions:
        delay_s = backoff.delay_s(action)
        if action in (Action.DONE, Action.TELL, Action.NEVER):
            assert delay_s is None
            continue
        assert delay_s is not None
        at_once += delay_s == 0.0
        assert delay_s == 0.0 or SHORTEST_S <= delay_s <= LONGEST_S
    assert at_once <= 1


def test_a_crowd_comes_back_spread_out() -> None:
    backoff = Backoff(random.Random(7).random)
    waits = []
    for _ in range(2000):
        backoff.settled()
        for _ in range(4):
            delay_s = backoff.delay_s(Action.RECONNECT)
        waits.append(delay_s)
    per_second = [sum(1 for wait in waits if wait is not None and int(wait) == second) for second in range(8)]
    assert max(per_second) < 2 * len(waits) / 8


def test_a_very_long_outage() -> None:
    backoff = Backoff(lambda: 1.0)
    assert [backoff.delay_s(Action.RECONNECT) for _ in range(10_000)][-1] == LONGEST_S
