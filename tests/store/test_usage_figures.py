"""Averages, shares and suggestions out of a row."""

from __future__ import annotations

import pytest

from seatd.store.usage_figures import growth, shares, suggested, true_denials
from seatd.store.usage_values import UsageRow, bucket, merged, number_of, row_of, start_ms


def test_shares_of_a_time_that_was_partly_idle() -> None:
    row = UsageRow(by_count={2: 250, 1: 250})
    assert shares(row, 1000) == [(0, 50.0), (1, 25.0), (2, 25.0)]
    assert shares(row, 500) == [(1, 50.0), (2, 50.0)]
    assert shares(row, 0) == []


@pytest.mark.parametrize(
    ("row", "seats"),
    [
        (UsageRow(), None),
        (UsageRow(peak=3), 3),
        (UsageRow(peak=9, by_count={1: 989, 9: 11}), 9),
        (UsageRow(peak=9, by_count={1: 990, 9: 10}), 1),
        (UsageRow(peak=9, by_count={1: 990, 9: 10}, denials={"no_seat": 1}), 10),
        (UsageRow(peak=9, by_count={1: 990, 9: 10}, denials={"no_seat": 1}, healed=1), 1),
        (UsageRow(peak=9, by_count={1: 990, 9: 10}, denials={"cooldown": 1}), 1),
    ],
)
def test_suggested_seats(row: UsageRow, seats: int | None) -> None:
    assert suggested(row) == seats


def test_a_true_denial_wanted_a_seat_and_was_not_healed() -> None:
    denials = {"no_seat": 3, "queue_full": 1, "wait_timeout": 1, "cooldown": 7, "unavailable": 2}
    assert true_denials(UsageRow(denials=denials, healed=2)) == 3


def test_growth() -> None:
    assert growth(3, 2) == 50
    assert growth(0, 2) == -100
    assert growth(3, 0) is None


def test_counts_are_exact_below_200_and_within_a_percent_above() -> None:
    for count in range(60_000):
        group = bucket(count)
        assert group == count if count < 200 else 0 <= count - group < count / 100


def test_rows_add_up() -> None:
    one = UsageRow(peak=3, seat_ms=5, denials={"a": 1}, by_count={1: 5})
    two = UsageRow(peak=2, seat_ms=7, denials={"a": 1, "b": 2}, by_count={1: 1, 2: 3})
    assert merged([one, two]) == UsageRow(peak=3, seat_ms=12, denials={"a": 2, "b": 2}, by_count={1: 6, 2: 3})
    assert merged([]) == UsageRow()


def test_rows_as_lua_packs_them() -> None:
    assert row_of([2, 9, 0, 1, 0, [], [4, 5]]).by_count == {1: 4, 2: 5}
    assert row_of([2, 9, 0, 1, 0, {"no_seat": 1}, {2: 5}]).denials == {"no_seat": 1}
    assert row_of(None) == UsageRow()


@pytest.mark.parametrize("number", [1970 * 12, 2024 * 12 + 1, 2026 * 12 + 11, 2100 * 12 + 1])
def test_months_begin_where_they_end(number: int) -> None:
    assert number_of("month", start_ms("month", number)) == number
    assert number_of("month", start_ms("month", number + 1) - 1) == number
