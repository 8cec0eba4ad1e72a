"""Leases: the rule, and that it is safe whatever the network does."""

import math

from hypothesis import given
from hypothesis import strategies as st

from seatd_protocol.lease import ClientLease, NodeLease

C = 24.0


def test_no_lease_before_a_welcome() -> None:
    lease = ClientLease(C)
    lease.welcomed(C)
    assert not lease.valid(0.0)
    lease.hello_sent(0.0)
    assert not lease.valid(0.0)
    assert lease.until_s == -math.inf


def test_it_ends_at_its_end() -> None:
    lease = ClientLease(C)
    lease.hello_sent(100.0)
    lease.welcomed()
    assert lease.until_s == 124.0
    assert lease.valid(123.999)
    assert not lease.valid(124.0)


def test_the_length_it_was_told_last_counts() -> None:
    lease = ClientLease(C)
    lease.hello_sent(0.0)
    lease.welcomed(30.0)
    assert lease.until_s == 30.0
    assert lease.lease_s == 30.0


def test_an_alive_from_the_future_counts_nothing() -> None:
    lease = ClientLease(C)
    lease.hello_sent(0.0)
    lease.welcomed(C)
    lease.alive_sent(1, 50.0)
    lease.beat_received(2, C, 10.0)  # the clock went back
    assert lease.until_s == C


delays = st.floats(0, 40)


@given(st.lists(st.tuples(delays, delays), min_size=1, max_size=30), delays)
def test_a_client_never_believes_longer_than_the_server_knows(
    ways: list[tuple[float, float]], first_way_s: float
) -> None:
    """The server's bound: what it last received, plus C. It beats every 8 s, and only once it has its answer."""
    lease = ClientLease()
    lease.hello_sent(0.0)
    now_s = server_heard_s = first_way_s
    for n, (down_s, up_s) in enumerate(ways, start=1):
        sent_s = now_s + 8.0
        arrived_s = sent_s + down_s
        before_s = lease.until_s
        lease.beat_received(n, C, arrived_s)
        assert lease.until_s >= before_s
        assert lease.until_s <= server_heard_s + C
        lease.alive_sent(n, arrived_s)
        assert lease.until_s <= server_heard_s + C
        now_s = server_heard_s = arrived_s + up_s


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(0, 5), st.booleans()), max_size=40))
def test_whatever_comes_it_never_shortens(steps: list[tuple[float, int, bool]]) -> None:
    lease = ClientLease(C)
    now_s = 0.0
    lease.hello_sent(now_s)
    lease.welcomed(C)
    for later_s, n, is_beat in steps:
        now_s += later_s
        before_s = lease.until_s
        if is_beat:
            lease.beat_received(n, C, now_s)
        else:
            lease.alive_sent(n, now_s)
        assert before_s <= lease.until_s <= now_s + C


def test_a_node_lease() -> None:
    lease = NodeLease(10.0)
    assert not lease.valid(0.0)
    lease.renewed(5.0)
    assert lease.until_s == 15.0
    lease.renewed(3.0)  # an older renewal, confirmed late
    assert lease.until_s == 15.0
    assert lease.valid(14.999)
    assert not lease.valid(15.0)


def test_a_node_lease_given_up() -> None:
    lease = NodeLease(10.0)
    lease.renewed(5.0)
    lease.lapse()
    assert not lease.valid(5.0)
    lease.renewed(6.0)
    assert lease.valid(15.5)
