"""What a report says."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.faults.checker import Violation
from tests.faults.fault import Fault, Figure
from tests.faults.report import NAMESPACES, PROXY, Report, Result, judged, not_run
from tests.faults.trial import Trial


async def nothing(_: Trial) -> None:
    """A story that does no harm."""


FAULT = Fault("F99", "something | breaks", "nothing is lost", nothing)
GOOD, BAD = Figure("lost", 0, "exactly 0", True), Figure("late, s", 3.2, "at most 3", False)


def test_a_verdict_needs_figures_and_history_to_be_right() -> None:
    assert judged(FAULT, 1, [GOOD], []).verdict == "pass"
    assert judged(FAULT, 1, [GOOD, BAD], []).reason == "late, s 3.2 (at most 3)"
    assert judged(FAULT, 1, [GOOD], [Violation(1.0, "I1", "three of two")]).reason == "1 violations"
    assert judged(FAULT, 1, [], [], error="it broke").reason == "it broke"


def test_the_table_tells_all_and_the_json_can_be_read(tmp_path: Path) -> None:
    violations = [Violation(float(n), "I1", "three of two") for n in range(7)]
    results = [judged(FAULT, 2, [GOOD, BAD], violations, remarks=["a remark"]), not_run(FAULT, "the queue")]
    report = Report(times="short", machine="2 CPUs", results=results)
    as_json, as_text = report.write(tmp_path)
    assert msgspec.json.decode(as_json.read_bytes(), type=Report) == report
    text = as_text.read_text()
    assert "0 passed, 1 failed, 1 not run" in text
    assert (
        "| F99 #2 | something \\| breaks | nothing is lost | lost 0 (exactly 0); late, s 3.2 (at most 3); a remark |"
        in text
    )
    assert "and 2 more" in text
    assert "not run: the queue" in text


PROXIED, REAL = judged(FAULT, 1, [GOOD], []), judged(FAULT, 1, [GOOD], [], network="namespaces")


@pytest.mark.parametrize(
    ("results", "told"),
    [
        ([PROXIED], PROXY),
        ([REAL, REAL], f"{NAMESPACES} for F99"),
        ([REAL, PROXIED], f"{PROXY}; {NAMESPACES} for F99"),
        ([PROXIED, not_run(FAULT, "there is no ip")], PROXY),
        ([not_run(FAULT, "there is no ip")], "none was used"),
    ],
)
def test_the_report_tells_what_the_network_was(results: list[Result], told: str) -> None:
    report = Report(times="short", machine="2 CPUs", results=results)
    assert f"Network: {told}. " in report.table()
