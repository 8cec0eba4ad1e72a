"""`seatd demo prepare`, and how `seatd demo` finds its server."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from seatd.cli.demo_files import demo_files, prepare
from seatd.cli.demo_server import _environment, _stage
from tests.cli.conftest import Seatd
from tests.cli.process import process


def test_prepare_makes_what_is_missing_and_keeps_what_is_there(seatd: Seatd) -> None:
    made = seatd("demo", "prepare", "--data", "folder")
    assert (made.exit_code, made.stdout) == (0, "")
    files = demo_files(Path("folder"))
    assert files.signing.stat().st_mode & 0o777 == 0o600
    assert files.secret.stat().st_mode & 0o777 == 0o600
    assert len(files.secret.read_text().strip()) >= 32
    assert files.trusted.read_text() == seatd("keys", "public", "--key", files.signing).stdout
    before = {path: path.read_bytes() for path in files.folder.iterdir()}
    files.trusted.unlink()
    assert seatd("demo", "prepare", "--data", "folder").exit_code == 0
    assert {path: path.read_bytes() for path in files.folder.iterdir()} == before


def test_what_was_prepared_is_used_by_other_verbs(seatd: Seatd) -> None:
    assert seatd("demo", "prepare").exit_code == 0
    assert seatd("token", "client", "--user", "a@acme", "--customer", "acme").exit_code == 0


def test_prepare_where_nothing_can_be_written(seatd: Seatd) -> None:
    Path("folder").mkdir()
    Path("folder/demo").touch()
    made = seatd("demo", "prepare", "--data", "folder")
    assert (made.exit_code, made.stderr) == (1, "Error: folder/demo cannot be written: File exists.\n")


def test_prepare_does_not_repair_a_broken_key(seatd: Seatd) -> None:
    Path("folder/demo").mkdir(parents=True)
    Path("folder/demo/vendor.key").write_text("nonsense")
    made = seatd("demo", "prepare", "--data", "folder")
    assert (made.exit_code, made.stderr) == (
        1,
        "Error: folder/demo/vendor.key: not a private key in PEM (-----BEGIN PRIVATE KEY-----).\n",
    )


def running(data: Path, pid: int) -> None:
    prepare(data)
    (data / "admin.token").write_text("token\n")
    addresses = {"clients": "0.0.0.0:1", "admin": "127.0.0.1:2", "node": "n", "pid": pid, "store": "x"}
    (data / "seatd.json").write_text(json.dumps(addresses))


def test_a_running_prepared_server_is_used(tmp_path: Path) -> None:
    running(tmp_path, os.getpid())
    found = _stage(tmp_path)
    assert found is not None
    assert found.server == ("http://127.0.0.1:2", "token")
    assert found.clients_url == "ws://127.0.0.1:1"


@pytest.mark.parametrize("missing", ["seatd.json", "admin.token", "demo/vendor.key", "demo/client.secret"])
def test_a_server_that_was_not_prepared_is_left_alone(tmp_path: Path, missing: str) -> None:
    running(tmp_path, os.getpid())
    (tmp_path / missing).unlink()
    assert _stage(tmp_path) is None


def test_a_server_that_has_ended_is_not_used(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    running(tmp_path, ended.pid)
    assert _stage(tmp_path) is None


def test_a_private_server_does_not_take_another_servers_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEATD_STORE_URL", "redis://elsewhere")
    monkeypatch.setenv("SEATD_STORE_BIN", "/bin/valkey")
    monkeypatch.setenv("SEATD_NODE_NAME", "elsewhere")
    ours = {
        name: value for name, value in _environment(demo_files(tmp_path)).items() if name.startswith("SEATD_")
    }
    assert ours == {
        "SEATD_NODE_NAME": "demo",
        "SEATD_STORE_BIN": "/bin/valkey",
        "SEATD_TOKENS_HS256_SECRET_FILE": f"{tmp_path}/demo/client.secret",
    }


def test_the_story_on_a_private_server(tmp_path: Path) -> None:
    done = process("demo", TMPDIR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    told = re.findall(r"^  (?:(anna|ben|cleo)@\S+|receipt) +([a-z]+(?: out)?) ", done.stdout, re.MULTILINE)
    assert told == [
        ("anna", "granted"), ("ben", "granted"), ("cleo", "denied"), ("ben", "left"), ("cleo", "granted"),
        ("anna", "logged out"), ("", "acknowledged"), ("anna", "denied"),
    ]  # fmt: skip
    assert "no_seat" in done.stdout
    assert "limit 2, used 2" in done.stdout
    assert "'The shift is over'" in done.stdout
    assert "cooldown" in done.stdout
    assert list(tmp_path.glob("seatd-demo-*")) == []


def test_a_private_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    done = process("demo", TMPDIR=str(tmp_path), SEATD_STORE_BIN="/no/such/engine")
    assert done.returncode == 1
    assert "Error: The private server did not start.\n  " in done.stderr
    assert "Traceback" not in done.stderr
