"""The bucket of messages: a burst at once, then a steady rate."""

from __future__ import annotations

from seatd.hub.rate import Bucket


class Time:
    """A clock that stands still until it is moved."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def taken(bucket: Bucket, wanted: int = 1000) -> int:
    """How many of so many in a row are let through."""
    return sum(bucket.take() for _ in range(wanted))


def test_a_burst_and_no_more() -> None:
    assert taken(Bucket(20, 40, Time())) == 40


def test_it_refills_at_its_rate_up_to_the_burst() -> None:
    time = Time()
    bucket = Bucket(20, 40, time)
    taken(bucket)
    time.now_s += 0.5
    assert taken(bucket) == 10
    time.now_s += 3600
    assert taken(bucket) == 40


def test_asking_too_much_costs_nothing() -> None:
    time = Time()
    bucket = Bucket(20, 40, time)
    taken(bucket, 10_000)
    time.now_s += 1 / 16
    assert taken(bucket) == 1


def test_whoever_keeps_to_the_rate_is_never_refused() -> None:
    time = Time()
    bucket = Bucket(20, 1, time)
    for _ in range(1000):
        assert bucket.take()
        time.now_s += 1 / 16  # exact in binary, as 1/20 is not


def test_a_burst_of_one() -> None:
    assert taken(Bucket(0.1, 1, Time())) == 1
