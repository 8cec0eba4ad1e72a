"""What the table says of a figure."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from loadtest.clients.errors import Unusable
from loadtest.rows import MEASUREMENTS, chosen
from loadtest.rows.goals import GOALS, Goal
from loadtest.rows.row import Row, failed


@pytest.mark.parametrize(
    ("judged", "verdict"), [(1.4, "aim"), (1.41, "must"), (2.0, "must"), (2.01, "FAIL"), (0, "aim")]
)
def test_at_most(judged: float, verdict: str) -> None:
    assert Goal("a", "us", 2.0, 1.4).verdict(judged) == verdict


@pytest.mark.parametrize(("judged", "verdict"), [(50, "aim"), (49, "must"), (25, "must"), (24, "FAIL")])
def test_at_least(judged: float, verdict: str) -> None:
    assert Goal("a", "1/s", 25, 50, at_least=True).verdict(judged) == verdict


def test_no_number_reaches_no_goal() -> None:
    assert {goal.verdict(float("nan")) for goal in GOALS.values()} == {"FAIL"}


def test_judged_is_the_ratio_where_there_is_a_floor() -> None:
    row = Row("sign-in", 800, 400)
    assert (row.judged, row.verdict) == (2.0, "must")
    assert (replace(row, floor=None).judged, replace(row, floor=None).verdict) == (800, "FAIL")


def test_what_is_wrong_fails_whatever_the_figure_is() -> None:
    good = Row("kill", 0.1)
    assert good.verdict == "aim"
    assert replace(good, wrong="two sessions of one").verdict == "FAIL"


def test_a_row_that_could_not_be_measured_is_json_all_the_same() -> None:
    told = json.loads(json.dumps(failed("sign-in", "no server").told(), allow_nan=False))
    assert (told["seatd"], told["judged"], told["verdict"], told["wrong"]) == (
        None,
        None,
        "FAIL",
        "no server",
    )
    assert (told["must"], told["unit"]) == (GOALS["sign-in"].must, "us")


def test_each_row_is_measured_once() -> None:
    assert sorted(name for one in MEASUREMENTS for name in one.names) == sorted(GOALS)


def test_rows_by_name() -> None:
    assert chosen([]) == list(GOALS)
    assert chosen(["idle", "sign-in", "idle"]) == ["sign-in", "idle"]
    with pytest.raises(Unusable, match="no row 'sleep'; the rows are sign-in, "):
        chosen(["idle", "sleep"])
