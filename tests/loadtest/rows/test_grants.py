"""How the growth of a cost is judged, and that it is measured."""

from __future__ import annotations

import pytest

from loadtest.rows import grants


@pytest.mark.parametrize(
    ("cost", "growth"),
    [
        ({100: 5.0, 10_000: 5.0, 100_000: 5.0}, 0),
        ({100: 5.0, 10_000: 10.0, 100_000: 12.5}, 1),
        ({100: 5.0, 10_000: 5.0, 100_000: 20.0}, 2),
        ({10_000: 30.0, 100: 5.0}, 5),
        ({100: 5.0, 10_000: 2.5}, -0.5),
    ],
)
def test_growth_against_the_logarithm(cost: dict[int, float], growth: float) -> None:
    assert grants.growth(cost) == pytest.approx(growth)


async def test_each_number_has_its_cost() -> None:
    """Of customers with so many sessions or licenses; what a grant costs is more than nothing."""
    said: list[str] = []
    cost_us = await grants.by_sessions((5, 40), said.append)
    assert list(cost_us) == [5, 40]
    assert all(each > 0 for each in cost_us.values())
    assert "filling in 40 sessions, 1 licenses" in said
    assert list(await grants.by_licenses((1, 12), said.append)) == [1, 12]
    assert "filling in 0 sessions, 12 licenses" in said
