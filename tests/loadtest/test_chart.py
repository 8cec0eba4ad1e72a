"""The picture has everything in it, within its borders."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import Any

import pytest

from loadtest.chart import Span, chart, rates, spans

STEP = {"p50": 1.0, "p99": 20.0, "max": 300.0}


def report(seconds: float, series: dict[str, Any], slowest: dict[str, Any]) -> dict[str, Any]:
    steps = dict.fromkeys(slowest, STEP)
    return {"seconds": seconds, "series": series, "slowest": slowest, "steps": steps}


MANY = [f"denied for reason {number}" for number in range(12)]


@pytest.mark.parametrize(
    "found",
    [
        report(0.0, {}, {}),
        report(0.4, {"live": [7], "sign-in": [7]}, {"sign-in": [3.5]}),
        report(
            3.2,
            {"live": [1, 2, 3, 3], "a<b": [1, 2, 3, 0], **{name: [9_000_000] * 4 for name in MANY}},
            {"a<b": [3, None, 0.001, 2]},
        ),
    ],
)
def test_within_its_borders(found: dict[str, Any]) -> None:
    picture = chart("steady & more", found)
    root = ET.fromstring(picture)
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    for element in root.iter():
        for name, most in (("x", width), ("x1", width), ("x2", width), ("y", height), ("y1", height)):
            assert 0 <= float(element.attrib.get(name, 0)) <= most, ET.tostring(element)
        for x, y in re.findall(r"([-\d.]+),([-\d.]+)", element.attrib.get("points", "")):
            assert 0 <= float(x) <= width
            assert 0 <= float(y) <= height
    said = " ".join(root.itertext())
    for name in (*(name for name in found["series"] if name != "live"), "steady & more"):
        assert name in said or len(found["series"]) < 3
    assert "nan" not in picture


def test_a_short_tail_counts_with_the_second_before() -> None:
    assert rates([100, 100, 10], 2.1) == [Span(0, 1, 100), Span(1, 2.1, pytest.approx(100))]
    assert rates([100, 60], 1.6) == [Span(0, 1, 100), Span(1, 1.6, pytest.approx(100))]
    assert rates([5], 0.1) == [Span(0, 0.1, pytest.approx(50))]


def test_a_second_without_a_value_is_a_gap() -> None:
    assert [span.value for span in spans([1.0, None, 2.0], 3)] == [1.0, None, 2.0]
