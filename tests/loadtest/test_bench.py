"""`./dev bench` as somebody runs it: what it answers to, and that what was recorded can be drawn again."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from loadtest import table
from loadtest.__main__ import completed
from loadtest.curves import CURVES
from loadtest.rows.goals import GOALS
from loadtest.rows.scale import Scale

ROOT = Path(__file__).parents[2]
RECORDED = ROOT / "loadtest" / "recorded"


def bench(*args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "loadtest", *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=ROOT)


@pytest.mark.parametrize(
    ("args", "meant"),
    [
        ([], ["table"]),
        (["--quick"], ["table", "--quick"]),
        (["table", "--quick"], ["table", "--quick"]),
        (["admin"], ["admin"]),
        (["--help"], ["--help"]),
    ],
)
def test_without_a_verb_it_is_the_table(args: list[str], meant: list[str]) -> None:
    assert completed(args) == meant


def test_the_rows_are_listed() -> None:
    done = bench("--list")
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(GOALS)


@pytest.mark.parametrize(
    ("args", "why"),
    [
        (("--only", "idle,sleep"), "there is no row 'sleep'; the rows are sign-in"),
        (("curves", "--only", "seats,sleep"), "there is no curve 'sleep'"),
        (("curves", "--only", "seats", "--most", "100"), "two points"),
        (("walk",), "invalid choice: 'walk'"),
        (("--clients", "0"), "--clients"),
        (("--clients", "1000000"), "ulimit"),
        (("soak", "--minutes", "0"), "--minutes"),
    ],
)
def test_what_is_asked_for_wrongly(tmp_path: Path, args: tuple[str, ...], why: str) -> None:
    done = bench(*args, *(("--folder", str(tmp_path)) if args[0] == "curves" else ()))
    assert done.returncode == 2, done.stderr
    assert why in done.stderr
    assert "Traceback" not in done.stderr


def test_one_row(tmp_path: Path) -> None:
    """Its progress, its line, and JSON with the machine and no other row."""
    out = tmp_path / "bench.json"
    done = bench("--only", "store-memory", "--quick", "--clients", "10", "--out", str(out))
    assert "[1/1] 10 sign in" in done.stderr
    assert GOALS["store-memory"].title in done.stdout
    found = json.loads(out.read_text())
    (row,) = found["rows"]
    assert (row["name"], row["verdict"]) == ("store-memory", "FAIL" if done.returncode else row["verdict"])
    assert found["machine"]["cores"] >= 1
    assert found["scale"]["clients"] == 10


async def test_what_breaks_costs_its_own_rows_only(monkeypatch: pytest.MonkeyPatch) -> None:
    async def breaks(*_: object) -> list[object]:
        raise OSError("no room")

    async def works(*_: object) -> list[object]:
        return [table.Row("kill", 1.0)]

    both = (table.Measurement(("logout",), breaks), table.Measurement(("kill",), works))  # type: ignore[arg-type]
    monkeypatch.setattr(table, "MEASUREMENTS", both)
    logout, kill = await table.measured(Scale(), ["logout", "kill"])
    assert (logout.verdict, logout.wrong) == ("FAIL", "OSError: no room")
    assert kill.verdict == "aim"


def test_what_was_recorded_is_drawn_as_it_stands_there(tmp_path: Path) -> None:
    """The pictures of the README are those of the figures beside them."""
    for name in CURVES:
        shutil.copy(RECORDED / f"{name}.json", tmp_path)
    done = bench("curves", "--plot", "--folder", str(tmp_path))
    assert done.returncode == 0, done.stderr
    for name in CURVES:
        assert (tmp_path / f"{name}.svg").read_text() == (RECORDED / f"{name}.svg").read_text()
        points = ET.parse(tmp_path / f"{name}.svg").iter("{http://www.w3.org/2000/svg}circle")
        assert len(list(points)) >= len(json.loads((RECORDED / f"{name}.json").read_text())["at"])


def test_a_curve_is_measured_and_drawn(tmp_path: Path) -> None:
    done = bench("curves", "--only", "licenses", "--most", "3", "--folder", str(tmp_path))
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "licenses.json").read_text())
    assert told["at"] == [1, 3]
    assert all(each > 0 for each in told["grant_us"])
    assert (tmp_path / "licenses.svg").exists()
