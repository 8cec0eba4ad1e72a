"""`./dev fuzz` finds a bug that is there, tells it as a test, and says how much it has tried."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.target import ROOT
from tests.fuzz.targets import NAMES

needs_atheris = pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="Atheris is not installed (`./dev fuzz` does it)"
)


def fuzzed(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.fuzz", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("engine", ["chance", pytest.param("guided", marks=needs_atheris)])
def test_a_planted_bug_is_found(tmp_path: Path, engine: str) -> None:
    done = fuzzed("--only", "planted", "--minutes", "0.1", "--engine", engine, "--folder", str(tmp_path))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "    ('planted', b'bug!" in done.stdout
    assert "KeyError: 'planted'" in done.stdout
    executions = re.search(r"^([\d,]+) executions, 1 findings$", done.stdout, re.MULTILINE)
    assert executions is not None
    assert int(executions[1].replace(",", "")) > 100
    assert [path.read_bytes()[:4] for path in tmp_path.glob("planted/findings/*") if not path.suffix] == [
        b"bug!"
    ]


def test_a_reader_without_bugs_passes(tmp_path: Path) -> None:
    done = fuzzed("--only", "tickets", "--minutes", "0.05", "--engine", "chance", "--folder", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 findings" in done.stdout


def test_unknown_targets_are_refused(tmp_path: Path) -> None:
    done = fuzzed("--only", "nothing", "--folder", str(tmp_path))
    assert done.returncode == 2
    assert "there is no target nothing" in done.stderr


def test_every_file_of_a_target_is_listed() -> None:
    files = {path.stem for path in Path(__file__).parent.joinpath("targets").glob("*.py")}
    assert files == {*NAMES, "planted", "__init__"}
