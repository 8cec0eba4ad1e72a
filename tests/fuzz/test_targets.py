"""Every reader of foreign bytes, for a few seconds, with the same inputs each time. `./dev fuzz` goes on from there."""

from __future__ import annotations

import time
from random import Random

import pytest

from tests.fuzz.mutation import inputs
from tests.fuzz.target import judged
from tests.fuzz.targets import NAMES, target

EACH_S = 2.5
FEWEST = 20
"""Inputs that are tried however slow the machine is."""


@pytest.mark.parametrize("name", NAMES)
def test_whatever_comes_is_refused_or_understood(name: str) -> None:
    chosen = target(name)
    until_s = time.monotonic() + EACH_S
    for count, data in enumerate(inputs(chosen, Random(name))):
        if count >= FEWEST and time.monotonic() > until_s:
            return
        found = judged(chosen, data)
        assert found is None, f"{found.what}\na case for test_findings.py:\n{found.as_test()}"
