"""The entry script, without touching the environment that the tests run in."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import aiohttp
import pytest

from tests.servers import Servers

ROOT = Path(__file__).parent.parent
SERVER = """
import signal, sys, time
def end(*_):
    print("bye", flush=True)
    sys.exit(int(sys.argv[1]))
signal.signal(signal.SIGTERM, end)
print("seatd ready on 0.0.0.0:1 and 127.0.0.1:2", flush=True)
time.sleep(60)
"""


def ran(*args: str, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "dev", *args]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | environ, check=False)


@pytest.fixture
def dev() -> ModuleType:
    """The script as a module."""
    loader = importlib.machinery.SourceFileLoader("dev", str(ROOT / "dev"))
    spec = importlib.util.spec_from_loader("dev", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_it_is_executable():
    assert os.access(ROOT / "dev", os.X_OK)


@pytest.mark.parametrize("args", [(), ("--help",)])
def test_alone_it_lists_its_verbs(args):
    done = ran(*args)
    assert done.returncode == 0
    assert [line.split()[1] for line in done.stdout.splitlines() if line.startswith("  ./dev")] == [
        "run",
        "phone",
        "test",
        "check",
        "bench",
        "faults",
        "fuzz",
        "shots",
        "docs",
        "fmt",
    ]


def test_an_unknown_verb_is_refused():
    done = ran("walk")
    assert done.returncode == 2
    assert "there is no verb 'walk'" in done.stderr
    assert "./dev test" in done.stderr


@pytest.mark.parametrize("broken", [set(), {"not alone"}, {"alone"}, {"not alone", "alone"}])
def test_all_tests_run_side_by_side_and_then_those_that_must_be_alone(dev, monkeypatch, broken):
    phases = []

    def passes(_, options):
        phases.append(tuple(options))
        return options[-1] not in broken

    monkeypatch.setattr(dev, "install", lambda *_: None)
    monkeypatch.setattr(dev, "tests_pass", passes)
    assert dev.test(()) == bool(broken)
    assert phases == [("-n", str(dev.TEST_WORKERS), "-m", "not alone"), ("-m", "alone")]


def test_with_arguments_pytest_is_given_them(dev, monkeypatch):
    given = []
    monkeypatch.setattr(dev, "install", lambda *_: None)
    monkeypatch.setattr(dev, "replaced_by", lambda *args: given.append(args) or 0)
    assert dev.test(["-n", "2", "tests/store"]) == 0
    assert given == [("pytest", "-q", "-n", "2", "tests/store")]


def test_it_installs_again_only_when_something_changed(dev, tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    (tmp_path / ".venv").mkdir()
    installed: list[tuple[str, ...]] = []
    monkeypatch.setattr(dev, "ROOT", tmp_path)
    monkeypatch.setattr(dev, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(dev, "PYTHON", Path(sys.executable))
    monkeypatch.setattr(dev, "STAMP", tmp_path / ".venv" / "installed.json")
    monkeypatch.setattr(dev, "pip_install", installed.append)
    dev.install("test")
    dev.install("test")
    dev.install()
    assert installed == [("test",)]
    dev.install("check")
    dev.install("check", "test")
    assert installed[1:] == [("check", "test")]
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    dev.install()
    assert installed[2:] == [("check", "test")]


def test_without_pip_it_says_what_to_install(dev, tmp_path, monkeypatch):
    monkeypatch.setattr(dev, "PYTHON", tmp_path / "none")
    monkeypatch.setattr(dev.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="apt-get install python3-pip"):
        dev.make_venv(moved=False)


def watching(folder: Path, exit_status: int) -> subprocess.Popen[str]:
    """`dev` as it watches a server, in a process of its own."""
    (folder / "seatd.json").write_text(json.dumps({"clients": "0.0.0.0:1", "admin": "127.0.0.1:2"}))
    (folder / "admin.token").write_text("the-token\n")
    program = f"""
import runpy, subprocess, sys
from pathlib import Path
dev = runpy.run_path({str(ROOT / "dev")!r})
server = subprocess.Popen([sys.executable, "-c", {SERVER!r}, "{exit_status}"], stdout=-1, text=True, process_group=0)
sys.exit(dev["watched"](server, Path({str(folder)!r})))
"""
    return subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_banner_and_an_orderly_end(tmp_path, number):
    with watching(tmp_path, 0) as script:
        assert script.stdout is not None
        seen = []
        while "Ctrl-C" not in "".join(seen):
            line = script.stdout.readline()
            assert line, "ended early"
            seen.append(line)
        script.send_signal(number)
        rest = script.stdout.read()
        assert script.wait(30) == 0
    text = "".join(seen)
    assert text.startswith("seatd ready on ")
    assert "ws://127.0.0.1:1/v1/connect" in text
    assert "http://127.0.0.1:2/" in text  # nobody answers there, so there is no link
    assert "the-token" in text
    assert ".venv/bin/seatd demo --data " in text
    assert re.search(r"sign in there +.*(/console/sign-in#|admin link admin --create)", text)
    assert "bye" in rest


async def test_the_banner_has_a_link_that_signs_in_once(dev, monkeypatch):
    monkeypatch.setattr(dev, "PYTHON", Path(sys.executable))
    with Servers() as servers:
        node = servers.start("dev")
        lines = dev.banner(node.folder).splitlines()
        (link,) = [word for line in lines for word in line.split() if "/console/sign-in#" in word]
        assert link.startswith(f"http://{node.admin}/console/")
        address, secret = f"http://{node.admin}/api/v1/sign-in", link.partition("#")[2]
        async with aiohttp.ClientSession() as http:
            async with http.post(address, json={"link": secret}) as first:
                assert (first.status, (await first.json())["grant"]["role"]) == (200, "operator")
            async with http.post(address, json={"link": secret}) as second:
                assert second.status == 401
        assert "/console/sign-in#" in dev.banner(node.folder)  # the next start has another one


def test_a_server_that_fails_by_itself_is_not_covered_up(tmp_path):
    (tmp_path / "seatd.json").write_text("{}")
    program = f"""
import runpy, subprocess, sys
dev = runpy.run_path({str(ROOT / "dev")!r})
server = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"], stdout=-1, text=True, process_group=0)
sys.exit(dev["watched"](server, dev["Path"](".")))
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 3
