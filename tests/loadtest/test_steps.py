"""What a measurement says while it goes on, to a log."""

from __future__ import annotations

import pytest

from loadtest.steps import Steps


def test_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    with Steps(2) as steps:
        for what in ("fills [in]", "asks"):
            steps.next()
            steps.say(what)
    first, second = capsys.readouterr().err.splitlines()
    assert first.endswith("s  [1/2] fills [in]")
    assert second.endswith("s  [2/2] asks")


def test_without_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    with Steps() as steps:
        steps.say("wave 7")
    said = capsys.readouterr().err.strip()
    assert said.endswith("s  wave 7")
    assert "[" not in said
