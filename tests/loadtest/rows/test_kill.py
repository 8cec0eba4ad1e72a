"""When a killed node's row fails although everybody was quick."""

from __future__ import annotations

from loadtest.clients.connection import Place
from loadtest.clients.terms import Terms
from loadtest.rows.kill import wrong
from loadtest.scenarios.plan import Plan


def plan() -> Plan:
    terms = Terms((Place("127.0.0.1", 1, tls=False),), str, ("CALL_CENTER",))
    return Plan(terms, 12, 10, 50, 0, "CALL_MANAGER")


def test_everybody_once() -> None:
    assert wrong(plan(), back=12, counted=12) == ""


def test_one_who_is_lost_or_doubled() -> None:
    assert "11 are back" in wrong(plan(), back=11, counted=12)
    assert "counts 13" in wrong(plan(), back=12, counted=13)
    other = plan()
    other.recorder.count("error session lost")
    assert "session lost" in wrong(other, back=12, counted=12)
