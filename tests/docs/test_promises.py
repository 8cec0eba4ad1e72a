"""docs/promises.md names every promise, and proofs that there are."""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import ROOT, text_of
from tests.faults.fault import FAULTS
from tests.faults.table import faults

TEXT = text_of("docs/promises.md")
SECTIONS = dict(re.findall(r"^## (P\d+): [^\n]*\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL))


def test_every_promise_of_the_deployment_guide() -> None:
    assert [*SECTIONS] == re.findall(r"^\| (P\d+) \|", text_of("deploy/README.md"), re.MULTILINE)


@pytest.mark.parametrize("promise", SECTIONS)
def test_its_proofs_exist(promise: str) -> None:
    named = re.findall(r"^\* `(tests/[\w/]+\.py)`: (.*)$", SECTIONS[promise], re.MULTILINE)
    assert named, "nothing proves it"
    for file, names in named:
        there = set(re.findall(r"^(?:async )?def (test_\w+)", (ROOT / file).read_text(), re.MULTILINE))
        assert set(re.findall(r"`(test_\w+)`", names)) <= there, file


def test_every_fault_exists() -> None:
    faults()  # enters them all
    named = set(re.findall(r"`(F\d+\w*)`", TEXT))
    assert len(named) > 30
    assert named <= set(FAULTS)
