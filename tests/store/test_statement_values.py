"""The arithmetic of invoice statements: periods, rounding, lines."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest

from seatd.store.price_values import PriceList, Prices, amount, rounded
from seatd.store.statement_values import Period, figures_of, lines_of, total_of
from seatd.store.usage_values import HOUR_MS, UsageRow, number_of, start_ms


def period(first: str, last: str) -> Period:
    return Period(date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize(
    ("first", "last", "months", "days"),
    [
        ("2026-01-01", "2026-01-31", 1, 0),
        ("2026-01-01", "2026-12-31", 12, 0),
        ("2024-02-01", "2024-02-29", 1, 0),
        ("2025-02-01", "2025-02-28", 1, 0),
        ("2024-02-01", "2024-02-28", 0, 28),
        ("2026-01-31", "2026-03-01", 1, 2),
        ("2025-12-31", "2026-01-01", 0, 2),
        ("2026-05-05", "2026-05-05", 0, 1),
    ],
)
def test_a_period_is_whole_months_and_the_days_that_are_left(
    first: str, last: str, months: int, days: int
) -> None:
    these = period(first, last)
    found = these.parts()
    assert (len(found[0]), len(found[1])) == (months, days)
    spans = [("month", number) for number in found[0]] + [("day", number) for number in found[1]]
    lengths = [start_ms(level, n + 1) - start_ms(level, n) for level, n in spans]  # type: ignore[arg-type]
    assert sum(lengths) == these.till_ms - these.from_ms == these.days * 24 * HOUR_MS
    starts = [start_ms(level, number) for level, number in spans]  # type: ignore[arg-type]
    assert min(starts) == these.from_ms
    assert number_of("day", these.till_ms - 1) == (these.last - date(1970, 1, 1)).days


@pytest.mark.parametrize(
    ("first", "last", "months"),
    [
        ("2026-01-01", "2026-01-31", Fraction(1)),
        ("2026-04-16", "2026-04-30", Fraction(1, 2)),
        ("2026-04-16", "2026-06-30", Fraction(5, 2)),
        ("2026-01-31", "2026-02-01", Fraction(1, 31) + Fraction(1, 28)),
    ],
)
def test_months_by_their_days(first: str, last: str, months: Fraction) -> None:
    assert period(first, last).months() == months


def test_periods_that_touch_do_not_overlap() -> None:
    january = period("2026-01-01", "2026-01-31")
    assert not january.overlaps(period("2026-02-01", "2026-02-28"))
    assert january.overlaps(period("2026-01-31", "2026-02-28"))
    assert january.overlaps(period("2025-01-01", "2026-12-31"))


@pytest.mark.parametrize(
    ("quantity", "price", "expected"),
    [
        ("1", "0.005", "0.00"),
        ("1", "0.015", "0.02"),
        ("1", "0.025", "0.02"),
        ("3", "0.005", "0.02"),
        ("2.5000", "0.10", "0.25"),
        ("0.1000", "0.2", "0.02"),
        ("123456789.1234", "999999999.999999", "123456789123399876.54"),
        ("0", "5", "0.00"),
    ],
)
def test_half_to_even_and_exact(quantity: str, price: str, expected: str) -> None:
    assert amount(quantity, price) == expected


def test_no_float_comes_near() -> None:
    assert rounded(Fraction(1, 3), 4) == "0.3333"
    assert rounded(Fraction(5, 100000), 4) == "0.0000"
    assert rounded(Fraction(15, 100000), 4) == "0.0002"


def test_lines_cost_by_product_and_licenses_nothing_more() -> None:
    row = UsageRow(peak=3, seat_ms=HOUR_MS * 5 // 2, over_ms=HOUR_MS // 2)
    usage = [
        figures_of("CALL_CENTER", None, row, HOUR_MS, 0),
        figures_of("CALL_CENTER", "cc", row, HOUR_MS, 0),
        figures_of("QUALITY_AUDITOR", None, UsageRow(), HOUR_MS, 4),
        figures_of("EMAIL", None, row, HOUR_MS, 0),
        figures_of(None, "gone", row, HOUR_MS, 0),
    ]
    assert usage[0].average == "2.5000"
    prices = PriceList(
        currency="EUR",
        products={
            "CALL_CENTER": Prices(seat_hours="0.05", overdraft_hours="0.5", peak_seats="12"),
            "QUALITY_AUDITOR": Prices(assigned_months="7.50"),
        },
    )
    lines = lines_of(usage, prices, Fraction(1, 2))
    assert [(line.product, line.item, line.quantity, line.amount) for line in lines] == [
        ("CALL_CENTER", "seat_hours", "2.5000", "0.12"),
        ("CALL_CENTER", "overdraft_hours", "0.5000", "0.25"),
        ("CALL_CENTER", "peak_seats", "3", "36.00"),
        ("QUALITY_AUDITOR", "assigned_months", "2.0000", "15.00"),
    ]
    assert total_of(lines) == "51.37"
    assert total_of([]) == "0.00"
