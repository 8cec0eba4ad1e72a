"""What seatd is built of: locked to the byte, known by name, under licenses that go with its own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.attack import attack

ROOT = Path(__file__).parents[2]
LOCK = ROOT / ".ci" / "requirements.txt"
LOCKS = sorted({LOCK, *ROOT.glob("deploy/**/*requirements*.txt")})
ALLOWED = {
    "Apache-2.0",
    "MIT",
    "MIT-0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "PSF-2.0",
    "ISC",
    "MPL-2.0",
    "0BSD",
    "Unlicense",
}
"""Licenses that ask for no more than to be named (of MPL-2.0, that its own files stay open)."""


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(file: Path) -> dict[str, str]:
    """Name to the rest of each requirement."""
    text = re.sub(r"\\\n", " ", re.sub(r"^\s*#.*$", "", file.read_text(), flags=re.MULTILINE))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return {canonical(re.split(r"[=<>\[; ]", line)[0]): line for line in lines if not line.startswith("--")}


def wanted() -> set[str]:
    """What pyproject.toml asks for, tests and checks included."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    return {
        canonical(re.split(r"[^A-Za-z0-9._-]", line)[0])
        for part in (project["dependencies"], *extras)
        for line in part
    }


def bill() -> Any:
    made = subprocess.run([sys.executable, ROOT / ".ci" / "sbom"], capture_output=True, check=True)
    return json.loads(made.stdout)


@attack(
    "S78",
    "a dependency is replaced or taken over: another file under the same version, another package under a name like ours, "
    "a wheel of today that was not there yesterday",
    "what continuous integration and the container install is locked by version and SHA-256 (`pip --require-hashes`), for "
    "all that `pyproject.toml` asks for and what that needs; `.ci/sbom` writes the bill of materials (CycloneDX)",
    left="a plain `pip install .` takes today's versions: use the lock. Nothing asks for advisories by itself: run a "
    "scanner over the bill of materials, as often as you like to know",
)
@pytest.mark.parametrize("file", LOCKS, ids=lambda file: str(file.relative_to(ROOT)))
def test_s78_everything_is_locked(file: Path) -> None:
    assert locked(file)
    for line in locked(file).values():
        assert re.match(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==[^ ]+ .*--hash=sha256:[0-9a-f]{64}", line), line
    assert "index-url" not in file.read_text()


@attack("S78", "the same with a dependency that somebody adds without locking it", "a test fails")
def test_s78_all_that_is_asked_for_is_in_the_lock() -> None:
    assert wanted() - locked(LOCK).keys() == set()


@attack(
    "S78",
    "an aiohttp with known holes (request smuggling, quadratic inflating)",
    "not installed: `aiohttp>=3.14.4` is asked for",
)
def test_s78_aiohttp_is_new_enough() -> None:
    assert tuple(int(part) for part in version("aiohttp").split(".")[:3]) >= (3, 14, 4)
    assert "aiohttp>=3.14.4" in (ROOT / "pyproject.toml").read_text()


def test_the_bill_of_materials_is_complete() -> None:
    found = bill()
    assert (found["bomFormat"], found["specVersion"]) == ("CycloneDX", "1.6")
    names = {part["name"] for part in found["components"]}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {canonical(re.split(r"[^A-Za-z0-9._-]", line)[0]) for line in project["dependencies"]} <= names
    assert {"hiredis", "cffi", "yarl"} <= names
    for part in found["components"]:
        assert part["purl"] == f"pkg:pypi/{part['name']}@{part['version']}"


def test_licenses_go_with_ours() -> None:
    for part in bill()["components"]:
        (stated,) = part["licenses"]
        names = set(re.split(r" (?:AND|OR|WITH) |[()]", stated["expression"])) - {""}
        fits = names & ALLOWED if " OR " in stated["expression"] else names <= ALLOWED
        assert fits, f"{part['name']} is under {stated['expression']}"


def test_how_to_report_a_hole_is_said() -> None:
    page = (ROOT / "SECURITY.md").read_text()
    for word in ("in private", "working days", "90 days", "docs/security.md"):
        assert word in page
