"""Some of the faults on real servers, with short times and few sessions: what `./dev faults` does, small enough for every day.

Most of their time is waiting, so those of a group go on side by side, each with an engine and servers of its own.
"""

from __future__ import annotations

import asyncio

import pytest

from tests.faults import versions
from tests.faults.run import arguments, chosen_of, long_s, run_one
from tests.faults.table import faults
from tests.faults.times import SHORT

SIZE = 12
pytestmark = pytest.mark.alone  # their bounds are of a machine that has nothing else to do
GROUPS = ("F01,F28,F30,F50", "F02,F26,F38", "F32,F36,F37", "F41,F42,F54")


@pytest.mark.parametrize("group", GROUPS)
async def test_faults(group: str) -> None:
    results = await asyncio.gather(*(run_one(fault, SHORT, SIZE) for fault in chosen_of(group)))
    wrong = {
        result.id: (result.reason, result.violations[:3]) for result in results if result.verdict != "pass"
    }
    assert not wrong
    assert all(result.events > SIZE for result in results)


def test_every_fault_of_the_matrix_is_in_the_table() -> None:
    ids = {fault.id for fault in faults()}
    assert {f"F{number:02}" for number in range(1, 61)} <= ids


async def test_what_cannot_be_told_here_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "OLD", "0" * 40)
    (fault,) = chosen_of("F54")
    result = await run_one(fault, SHORT, SIZE)
    assert result.verdict == "not run"
    assert result.reason.startswith(f"git has no revision {'0' * 40}") or "no git" in result.reason


@pytest.mark.parametrize(
    ("given", "minutes"),
    [([], 10), (["--short"], 2), (["--soak", "1440"], 1440), (["--soak=1", "--short"], 1)],
)
def test_how_long_the_long_ones_go_on(given: list[str], minutes: float) -> None:
    assert long_s(arguments(given)) == 60 * minutes


def test_an_unknown_fault_is_told() -> None:
    with pytest.raises(SystemExit, match="F99"):
        chosen_of("F01,F99")
