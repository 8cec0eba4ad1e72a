"""The load tester as an operator runs it: against a server of its own, and against one that is there."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from loadtest.scenarios import SCENARIOS
from tests.scenarios.company import SECRET, Company
from tests.servers import Servers

FEW = ("--clients", "12", "--seconds", "1", "--rate", "20")


def command(*args: str) -> list[str]:
    return [sys.executable, "-m", "loadtest.cli", *args]


def run(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*args), capture_output=True, text=True, timeout=90)


def reported(folder: Path) -> dict[str, Any]:
    ET.parse(folder / "report.svg")
    found: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return found


@pytest.mark.parametrize(
    ("scenario", "steps"),
    [
        ("ramp", {"sign-in": 12}),
        ("steady", {"sign-in": 12, "acquire": 20, "release": 20}),
        ("churn", {}),
        ("storm", {"sign-in": 12}),
        ("reconnect", {"sign-in": 12, "resume": 12}),
        ("queue", {"sign-in": 6, "handed on": 6}),
        ("logout", {"sign-in": 12, "logout told": 12, "logout closed": 12, "logout answered": 1}),
        ("roaming", {"sign-in": 12, "move": 20}),
    ],
)
def test_a_scenario_on_a_server_of_its_own(tmp_path: Path, scenario: str, steps: dict[str, int]) -> None:
    done = run(scenario, *FEW, "--report", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    found = reported(tmp_path)
    assert found["errors"] == 0
    assert {name: found["steps"][name]["count"] for name in steps} == steps
    assert max(found["series"]["live"]) <= 12


def test_every_scenario_is_tried() -> None:
    tried = test_a_scenario_on_a_server_of_its_own.pytestmark[0].args[1]  # type: ignore[attr-defined]
    assert {scenario for scenario, _ in tried} == set(SCENARIOS)


async def test_a_server_that_is_there(tmp_path: Path) -> None:
    """With too few seats, over JSON: who finds none is counted, and it is no error."""
    with Servers() as servers:
        node = servers.start("load")
        company = Company(node)
        await company.licensed("CALL_CENTER:competitive:5")
        secret = tmp_path / "secret"
        secret.write_text(SECRET)
        where = ("--url", f"ws://{node.clients}", "--secret-file", str(secret))
        whose = ("--customer", company.name, "--domain", company.domain, "--audience", "seatd")
        done = run(
            "storm", *FEW, *where, *whose, "--json", "--source", "127.0.0.9", "--report", str(tmp_path)
        )
        assert done.returncode == 0, done.stdout + done.stderr
        found = reported(tmp_path)
        assert (found["steps"]["sign-in"]["count"], found["counts"]["denied no_seat"]) == (5, 7)


@pytest.mark.parametrize(
    ("args", "why"),
    [
        (("storm", "--clients", "1001"), "--no-limits"),
        (("storm", "--seconds", "601"), "--no-limits"),
        (("storm", "--clients", "0"), "--clients"),
        (("sleep",), "sleep"),
        (("storm", "--url", "ws://127.0.0.1:1"), "--secret-file or --tokens"),
        (("logout", "--url", "ws://127.0.0.1:1", "--tokens", __file__), "--admin"),
        (("queue", "--clients", "5", "--seats", "5"), "more --clients"),
        (("storm", "--url", "http://x", "--tokens", __file__, "--clients", "1"), "no ws://"),
        (("storm", "--url", "ws://127.0.0.1:1", "--tokens", __file__, "--clients", "1"), "could not sign in"),
    ],
)
def test_what_is_asked_for_wrongly(args: tuple[str, ...], why: str) -> None:
    done = run(*args)
    assert done.returncode == 2, done.stdout
    assert why in done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_ends_it_with_a_report(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command("ramp", "--clients", "20", "--seconds", "500", "--rate", "50", "--report", str(tmp_path)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    time.sleep(6)  # the server of its own starts within that, as a rule; before, it ends all the same
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert "Traceback" not in said
