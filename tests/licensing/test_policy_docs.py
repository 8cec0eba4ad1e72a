"""docs/policies.md names what a policy may say, and the words that clients read."""

from __future__ import annotations

import re
from pathlib import Path

from seatd.hub.policies import ASKED_EVERY_S, MAX_ASKED, REASONS
from seatd.licensing.policy import DEVICE_RULES, ENDINGS, MAX_DEADLINE_S, POLICY_CHOICES

TEXT = (Path(__file__).parents[2] / "docs" / "policies.md").read_text()
LUA = (Path(__file__).parents[2] / "seatd" / "store" / "lua" / "shared" / "policies.lua").read_text()
TABLE = TEXT.split("| name | value |", 1)[1].split("\n\n", 1)[0]


def test_every_name_and_choice() -> None:
    named = re.findall(r"^\| `(\w+)` \|", TABLE, re.MULTILINE)
    assert set(named) == {*POLICY_CHOICES, "deadline_s", "notify_waiting", "reservations"}
    for rule in (*ENDINGS, *DEVICE_RULES):
        assert f"`{rule}`" in TEXT


def test_every_number() -> None:
    (default_s,) = re.findall(r"DEADLINE_S = (\d+)", LUA)
    assert f"0 to {MAX_DEADLINE_S:,} (30 days) | {int(default_s):,} (8 hours)" in TABLE
    assert int(default_s) == 8 * 3600
    assert (ASKED_EVERY_S, f"at most {MAX_ASKED} holders" in TEXT) == (60.0, True)


def test_every_sentence() -> None:
    for sentence in REASONS.values():
        assert sentence.removeprefix("The license of {product} ") in TEXT
