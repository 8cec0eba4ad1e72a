"""docs/capacity.md: each figure is that of its record."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.docs.pages import ROOT, text_of

TEXT = text_of("docs/capacity.md")
ROWS = re.findall(r"^\| (.+?) \| ([\d.,]+) ?(\S*) \| (.+?) \| `(\w+\.json)` \|$", TEXT, re.MULTILINE)
Record = dict[str, Any]


def at(record: Record, curve: str, place: int) -> float:
    """A point of a curve."""
    return float(record[curve][record["at"].index(place)])


def row(record: Record, name: str) -> float:
    """What a row of the bench says of seatd."""
    return next(float(one["seatd"]) for one in record["rows"] if one["name"] == name)


def more(record: Record, name: str, figure: str) -> float:
    """A further figure of a row."""
    return next(float(one["more"][figure]) for one in record["rows"] if one["name"] == name)


FIGURES: dict[tuple[str, str], Callable[[Record, int], float]] = {
    ("memory of a node, for a session", "full.json"): lambda r, n: row(r, "memory"),
    ("memory of a node, for a session", "sessions.json"): lambda r, n: at(r, "session_kib", n),
    ("memory of the store, for a session", "full.json"): lambda r, n: row(r, "store-memory"),
    ("CPU of a node, for a sign-in with two products", "full.json"): lambda r, n: row(r, "sign-in"),
    ("CPU of a node, for a beat of a session", "full.json"): lambda r, n: row(r, "idle"),
    ("scripts a second in the store, nobody doing anything", "full.json"): lambda r, n: row(r, "idle-store"),
    ("all back on another node when theirs was killed", "full.json"): lambda r, n: row(r, "kill"),
    ("all forced out at once", "full.json"): lambda r, n: row(r, "logout-all"),
    ("CPU of the store, for a grant, 200 of them at once", "full.json"): lambda r, n: more(r, "grants", f"us_at_{n}"),
    ("acquires and releases, by 32 clients as fast as they are answered", "full.json"): lambda r, n: row(r, "acquire"),
    ("CPU of the store, for a grant, by licenses", "licenses.json"): lambda r, n: at(r, "grant_us", n),
    ("growth of the node's memory over 971 waves of clients", "soak.json"): lambda r, n: r["growth"]["node"],
}  # fmt: skip


def recorded(name: str) -> Record:
    """A record."""
    record: Record = json.loads((ROOT / "loadtest" / "recorded" / name).read_text())
    return record


@pytest.mark.parametrize(("what", "figure", "unit", "where", "name"), ROWS)
def test_a_figure_is_that_of_its_record(what: str, figure: str, unit: str, where: str, name: str) -> None:
    place = int(re.sub(r"\D", "", where))
    value = FIGURES[what, name](recorded(name), place)
    said = figure.replace(",", "")
    digits = len(said.partition(".")[2])
    assert abs(float(said) - value) <= 0.5 * 10**-digits + 1e-9


def test_every_figure_is_told() -> None:
    assert {(what, name) for what, _, _, _, name in ROWS} == set(FIGURES)


def test_what_follows_is_worked_out_right() -> None:
    full = recorded("full.json")
    each_us, beat_us, kib = (row(full, name) for name in ("sign-in", "idle", "memory"))
    assert full["scale"]["clients"] == 10_000
    a_second = round(1e6 / each_us)
    dearest_us = more(full, "grants", "us_at_100000")
    for text in (
        f"10,000 sessions take {10_000 * round(kib, 1) / 1024:.0f} MiB",
        f"{10_000 * row(full, 'store-memory') / 1e6:.0f} MB of the store",
        f"10,000 sessions keep {10_000 * beat_us / 8e6 * 100:.0f} % of a core busy",
        f"a core does {a_second:,} a second",
        f"for 30 s are {round(a_second * 30, -2):,} sessions",
        f"with one core, after {row(full, 'kill'):.1f} s",
        f"5,000 x {beat_us:.1f} us / 8 s = {5_000 * beat_us / 8e6 * 100:.0f} % of a core",
        f"= {5_000 * round(kib, 1) / 1024:.0f} MiB a node",
        f"some {round(1e6 / dearest_us, -2):,.0f} grants a second",
    ):
        assert text in TEXT, text


MEASURED = re.findall(
    r"^\| `([\w-]+)` \| (?:[\d.,]+ \S+)? ?\| (-?[\d.,]+)(?: \S+)? \|.*\| (\*\*no\*\*|yes|yes, and the aim) \|$",
    text_of("loadtest/README.md"),
    re.MULTILINE,
)
SAID = {"FAIL": "**no**", "must": "yes", "aim": "yes, and the aim"}


def test_the_table_of_measurements_is_that_of_its_record() -> None:
    """Each row of it, with what was missed."""
    full = recorded("full.json")
    assert [name for name, _, _ in MEASURED] == [one["name"] for one in full["rows"]]
    for (name, figure, reached), one in zip(MEASURED, full["rows"], strict=True):
        said = figure.replace(",", "")
        digits = len(said.partition(".")[2])
        assert abs(float(said) - one["seatd"]) <= 0.5 * 10**-digits + 1e-9, name
        assert reached == SAID[one["verdict"]], name


def test_as_many_goals_are_missed_as_is_said() -> None:
    missed = [one for one in recorded("full.json")["rows"] if one["verdict"] == "FAIL"]
    assert (len(missed), len(MEASURED)) == (1, 15)
    assert "one of fifteen is not reached" in TEXT
    assert "**one misses it**" in text_of("loadtest/README.md")
