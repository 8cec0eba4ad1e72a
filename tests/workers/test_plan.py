"""What a supervisor and its workers tell each other."""

from __future__ import annotations

import io
from pathlib import Path

import msgspec
import pytest

from seatd.config import load
from seatd.workers.plan import Plan, Report


def test_a_plan_arrives_as_it_was_with_its_secrets() -> None:
    secret = "0123456789abcdef0123456789abcdef"
    settings = load(
        None,
        {"SEATD_TOKENS_HS256_SECRET": secret, "SEATD_NODE_LEASE": "11s", "SEATD_STORE_RECOVERY": "1m"},
        {"trust": ["a.pem"]},
    )
    plan = Plan(settings, {"a-1": Path("one"), "a-2": Path("two")}, owns_engine=True)
    arrived = Plan.read(io.BytesIO(plan.packed()))
    assert arrived == plan
    assert arrived.settings.tokens.hs256_secret == secret
    assert secret not in repr(arrived)


@pytest.mark.parametrize("failure", ["", "cannot listen on ::\nsecond line"])
def test_a_report_is_a_line(failure: str) -> None:
    line = Report(failure).line()
    assert line.count(b"\n") == 1
    assert msgspec.json.decode(line, type=Report).failure == failure
