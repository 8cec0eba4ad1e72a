"""The unit, as far as it can be tried without systemd as the first process: read by systemd's own programs, its limits on a
real server."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from seatd_protocol.messages import Welcome
from tests.deploy.programs import DEPLOY, checked, program, rewritten
from tests.scenarios.company import Company
from tests.servers import Servers

pytestmark = pytest.mark.timeout(600)  # many programs are started, and the machine may be busy

FOLDER = DEPLOY / "systemd"
UNIT = FOLDER / "seatd-server@.service"
SEATD = Path(sys.executable).with_name("seatd")
MOST_EXPOSURE = "15"  # in tenths; 1.2 as this is written
PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN = 65, 1


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """An instance of it, with our own `seatd` in place of the installed one."""
    file = tmp_path / "seatd-server@a.service"
    file.write_text(rewritten(UNIT, {"/opt/seatd/bin/seatd": str(SEATD)}))
    return file


def settings() -> dict[str, list[str]]:
    """What the unit sets, by name."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", UNIT.read_text(), re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


def test_systemd_reads_it(unit: Path) -> None:
    analyze = program("systemd-analyze", "systemd")
    done = subprocess.run([analyze, "verify", "--man=no", unit], capture_output=True, text=True)
    about_it = [line for line in done.stderr.splitlines() if unit.name in line]
    assert (done.returncode, about_it) == (0, []), done.stderr


def test_it_is_as_closed_as_it_was(unit: Path) -> None:
    analyze = program("systemd-analyze", "systemd")
    checked(analyze, "security", "--offline=true", f"--threshold={MOST_EXPOSURE}", unit)


def test_systemd_reads_the_user() -> None:
    checked(program("systemd-sysusers", "systemd"), "--dry-run", FOLDER / "seatd-server.sysusers")


def test_times_belong_together() -> None:
    """systemd waits longer for the end than a drain may take, and not as long as a hanging loop would keep its clients."""
    found = settings()
    assert found["TimeoutStopSec"] == ["45s"]  # node.drain (10 s) + 30 s
    assert found["KillMode"] == ["mixed"]
    assert int(found["LimitNOFILE"][0]) >= 15_000 + 1024


def test_the_example_of_a_nodes_settings_is_right(tmp_path: Path) -> None:
    (tmp_path / "store.url").write_text("redis://seatd:secret@127.0.0.1:6379")
    (tmp_path / "tokens.secret").write_text("s" * 32)
    (tmp_path / "vendor.pem").write_text(checked(SEATD, "keys", "new", "--out", tmp_path / "vendor.key"))
    file = tmp_path / "a.toml"
    file.write_text(rewritten(FOLDER / "node.toml", {"/etc/seatd": str(tmp_path)}))
    checked(SEATD, "config", "check", "--config", file, "--node", "a", "--data", tmp_path / "data")


def allowed_calls() -> set[str]:
    """The system calls that the unit leaves, as systemd lists them."""
    listing = checked(program("systemd-analyze", "systemd"), "syscall-filter", "--no-pager")
    groups = {
        name: re.findall(r"^    (?!#)(\S+)$", body, re.MULTILINE)
        for name, body in re.findall(r"^(@[\w-]+)\n((?:    .*\n?)*)", listing, re.MULTILINE)
    }

    def members(name: str) -> Iterator[str]:
        for member in groups[name]:
            yield from members(member) if member.startswith("@") else (member,)

    left: set[str] = set()
    for line in settings()["SystemCallFilter"]:
        called = {call for group in line.lstrip("~").split() for call in members(group)}
        left = left - called if line.startswith("~") else left | called
    return left


async def test_a_server_and_its_engine_need_no_other_system_call(tmp_path: Path) -> None:
    """All that they do from start to end is among what the unit allows. (What only raises limits may be refused.)"""
    strace = program("strace")
    trace = tmp_path / "calls"
    with Servers() as servers:
        tracing = f'exec {strace} -f -qq -e signal=none -o {trace} {sys.executable} "$@"'
        node = servers.launch("traced", under=("/bin/sh", "-c", tracing, "sh"))
        node.wait_ready()
        company = Company(node)
        await company.licensed("CALL_CENTER:competitive:2")
        ann = await company.sign_in(node, "ann", "CALL_CENTER")
        assert isinstance(ann.first, Welcome)
        assert await ann.bye() == 1000
        company.leave()
        os.kill(int(next(iter(re.findall(r'"pid": (\d+)', (node.folder / "seatd.json").read_text())))), 15)
        assert node.process.wait(60) == 0
    called = set(re.findall(r"^\d+ +(\w+)\(", trace.read_text(), re.MULTILINE))
    assert called - allowed_calls() == set()


async def test_a_server_and_its_engine_write_no_code() -> None:
    """MemoryDenyWriteExecute, by the kernel itself (Linux 6.3): memory that was writable never becomes executable."""
    probe = f"import ctypes; raise SystemExit(ctypes.CDLL(None).prctl({PR_SET_MDWE}, {PR_MDWE_REFUSE_EXEC_GAIN}, 0, 0, 0))"
    if await asyncio.to_thread(subprocess.call, [sys.executable, "-c", probe]):
        pytest.skip("this kernel has no PR_SET_MDWE")
    script = (
        f"import ctypes, os, sys; ctypes.CDLL(None).prctl({PR_SET_MDWE}, {PR_MDWE_REFUSE_EXEC_GAIN}, 0, 0, 0); "
        "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    )
    with Servers() as servers:
        node = servers.launch("strict", under=(sys.executable, "-c", script)).wait_ready()
        company = Company(node)
        await company.licensed("CALL_CENTER:competitive:2")
        ann = await company.sign_in(node, "ann", "CALL_CENTER")
        assert isinstance(ann.first, Welcome)
        company.leave()
        assert node.stop() == 0
