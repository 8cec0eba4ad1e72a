"""A curve's points lie where their values are, within the picture."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence

import pytest

from loadtest import svg
from loadtest.plot import HIGH, LEFT, RIGHT, WIDTH, Panel, plot

SVG = "{http://www.w3.org/2000/svg}"


def dots(picture: str) -> list[tuple[float, float]]:
    return [
        (float(dot.get("cx", 0)), float(dot.get("cy", 0)))
        for dot in ET.fromstring(picture).iter(f"{SVG}circle")
    ]


def drawn(points: Sequence[tuple[float, float]], *, decades: bool = False) -> str:
    return plot("costs & more", "on a <busy> machine", [Panel("a cost", "sessions", {"a": points}, decades)])


def test_a_straight_line() -> None:
    (x1, y1), (x2, y2), (x3, y3) = dots(drawn([(0, 0), (50, 2), (100, 4)]))
    assert (x1, x3) == (LEFT, WIDTH - RIGHT)
    assert x2 - x1 == pytest.approx(x3 - x2, abs=0.2)
    assert y1 - y2 == pytest.approx(y2 - y3, abs=0.2) == pytest.approx(HIGH / 2, abs=0.2)


def test_decades_are_equally_wide() -> None:
    (x1, _), (x2, _), (x3, _) = dots(drawn([(10, 1), (100, 1), (1000, 1)], decades=True))
    assert x2 - x1 == pytest.approx(x3 - x2, abs=0.2)


@pytest.mark.parametrize("points", [[(100, 0)], [(100, 5.0), (15_000, 0.0)], [(1, 7e6), (2, -1)]])
def test_within_its_borders(points: list[tuple[float, float]]) -> None:
    picture = drawn(points, decades=True)
    root = ET.fromstring(picture)
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    numbers = re.findall(r'\b(?:c?[xy])[12]?="([-\d.]+)"', picture)
    assert all(0 <= float(one) <= max(width, height) for one in numbers)
    assert all(0 <= y <= height for _, y in dots(picture))
    assert "nan" not in picture
    assert {"costs & more", "on a <busy> machine", "a cost", "sessions"} <= set(root.itertext())


@pytest.mark.parametrize(
    ("value", "rounded"), [(0, 1), (0.03, 0.03), (0.7, 0.8), (1, 1), (2.5, 3), (900, 1000), (1100, 2000)]
)
def test_round_numbers(value: float, rounded: float) -> None:
    assert svg.round_up_finely(value) == pytest.approx(rounded)
