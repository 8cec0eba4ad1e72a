"""Whether memory is told to be flat, and that waves leave nobody behind."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from loadtest import soak


@pytest.mark.parametrize(
    ("values", "growth"),
    [
        ([1, 5, 9, 10, 10, 10, 10, 10, 10], 1),
        ([1, 1, 1, 10, 10, 10, 11, 11, 11], 1.1),
        ([1] * 8, None),
        ([9, 9, 9, 9, 10, 10, 10, 5, 5, 5], 0.5),
    ],
)
def test_the_last_third_against_the_middle_third(values: list[float], growth: float | None) -> None:
    assert soak.growth(values) == (None if growth is None else pytest.approx(growth))


def test_the_verdict() -> None:
    assert [soak.verdict(one) for one in (0.9, soak.FLAT, soak.FLAT + 0.001, None)] == [
        *("flat", "flat", "GROWS", "too few waves")
    ]


async def test_waves() -> None:
    """At least one, with what both hold once everybody has left."""
    (sample, *_) = await soak.waves(clients=8, seconds=0.1)
    assert sample.node_bytes > 10 * soak.MIB
    assert 0 < sample.store_bytes < 100 * soak.MIB


def test_the_picture(tmp_path: Path) -> None:
    samples = [{"at_s": 60.0 * wave, "node_bytes": 5e7, "store_bytes": 4e6 + wave} for wave in range(1, 10)]
    recorded = tmp_path / "soak.json"
    told = {"waves": 9, "clients": 8, "machine": {"at": "2026-01-02T03:04:05"}, "samples": samples}
    recorded.write_text(json.dumps(told))
    soak.drawn(recorded)
    said = list(ET.parse(tmp_path / "soak.svg").getroot().itertext())
    assert {"9 waves of 8 people; 2026-01-02", "minutes"} <= set(said)
