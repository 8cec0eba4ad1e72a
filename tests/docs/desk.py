"""A folder in which somebody follows a page: a clone of the repository, so to speak, and a machine of his own around it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tests import engine
from tests.docs.pages import ROOT, Sample, commands, samples

READY_S = 60.0
END_S = 30.0
CLONED = ("seatd", "protocol", "loadtest", "tests", "docs", "pyproject.toml")
USUAL = {"clients": "127.0.0.1:8470", "admin": "127.0.0.1:8471"}
SYSTEMCTL = """#!/bin/bash
# `systemctl stop|start UNIT` for the server that the page has started
case $1 in
stop) pid=$(cat server.pid); kill "$pid"
      while [ -e "/proc/$pid" ] && ! grep -q "^State:.Z" "/proc/$pid/status"; do sleep 0.05; done ;;
start) : >server.log; setsid bash -c "$(cat server.command)" >>server.log 2>&1 & echo $! >server.pid
       until grep -q "seatd ready" server.log; do sleep 0.05; kill -0 "$!" || exit 1; done ;;
esac
"""


class Desk:
    """Follows pages. What stands in the page is done as it stands there, but for what `places` has in the place of it."""

    def __init__(self, folder: Path, places: dict[str, str], environ: dict[str, str]) -> None:
        self.folder = folder
        self.printed = ""
        self._places = {"/var/lib": f"{folder}/var/lib", "/etc/seatd": f"{folder}/etc/seatd", **places}
        self._environ = environ
        self._running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        for name in ("var/lib", "bin"):
            (self.folder / name).mkdir(parents=True)
        for name in CLONED:
            (self.folder / name).symlink_to(ROOT / name)
        shutil.copy(ROOT / "dev", self.folder / "dev")
        self._program("bin/seatd", "-m", "seatd")
        self._program("bin/seatd-loadtest", "-c", "'from loadtest.cli import main; main()'")
        self._program(".venv/bin/seatd", "-m", "seatd")
        self._program(".venv/bin/python")
        (self.folder / "bin/systemctl").write_text(SYSTEMCTL)
        (self.folder / "bin/systemctl").chmod(0o755)
        project = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
        (self.folder / ".venv/installed.json").write_text(
            json.dumps([str(self.folder), project, ["check", "test"]])
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pids = [process.pid for process in self._running]
        if (last := self.folder / "server.pid").exists():
            pids.append(int(last.read_text()))
        for pid in reversed(pids):
            self._end(pid)
        for process in self._running:
            process.wait(END_S)
        for log in self.folder.glob("*.log"):
            self._note(log)

    def prepare(self, script: str) -> None:
        """What somebody who reads the page has done already; a line that begins with `seatd serve` goes on."""
        for line in commands(script):
            sample = Sample("sh", "server" if line.startswith("seatd serve") else "", line)
            self._do(sample, {})

    def follow(self, page: str, left_out: dict[str, str]) -> None:
        """Does everything that the page says, from its first line to its last, but for these commands."""
        for sample in samples(page):
            if sample.language in ("toml", "python") and sample.name:
                (self.folder / sample.name).write_text(self._here(sample.text))
            if sample.language == "sh":
                self._do(sample, left_out)

    def _do(self, sample: Sample, left_out: dict[str, str]) -> None:
        todo = [command for command in commands(sample.text) if command not in left_out]
        if sample.name in ("server", "watch"):
            for command in todo:
                self._go_on(sample.name, command)
        elif todo:
            self._run("\n".join(todo))

    def _run(self, script: str) -> None:
        done = subprocess.run(
            ["bash", "-eu", "-o", "pipefail", "-c", self._here(script)], cwd=self.folder, env=self._environment(),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=100, check=False,
        )  # fmt: skip
        self.printed += done.stdout.decode()
        assert done.returncode == 0, f"{script}\n{done.stdout.decode()}"

    def _go_on(self, name: str, command: str) -> None:
        """A command that ends when it is told to: a server when the page has been followed, what is watched on a terminal when
        it has shown something."""
        log = self.folder / f"{name}.log"
        words = ["bash", "-c", f"exec {self._here(command)}"]
        on_a_terminal = [sys.executable, "-c", f"import pty; pty.spawn({words})"]
        self._note(log)
        with open(log, "wb") as out:
            process = subprocess.Popen(
                words if name == "server" else on_a_terminal, cwd=self.folder, env=self._environment(),
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
            )  # fmt: skip
        self._running.append(process)
        give_up_s = time.monotonic() + READY_S
        wanted = "seatd ready" if name == "server" else "\n"
        while wanted not in log.read_text():
            assert process.poll() is None, f"{command}\n{log.read_text()}"
            assert time.monotonic() < give_up_s, f"{command}\n{log.read_text()}"
            time.sleep(0.05)
        if name == "watch":
            self._end(process.pid)
            return
        (self.folder / "server.pid").write_text(str(process.pid))
        (self.folder / "server.command").write_text(f"exec {self._here(command)}")

    def _note(self, log: Path) -> None:
        """What is in a log counts as printed."""
        self.printed += log.read_text() if log.exists() else ""

    def _addresses(self) -> dict[str, str]:
        """Where the server that was started last is reached, by where a page says that it is."""
        log = self.folder / "server.log"
        words = re.findall(r"(clients|admin)=(\S+)", log.read_text()) if log.exists() else []
        return {USUAL[name]: address.split("://")[-1] for name, address in words}

    def _here(self, text: str) -> str:
        for there, here in (self._places | self._addresses()).items():
            text = text.replace(there, here)
        return text

    def _program(self, name: str, *words: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'#!/bin/sh\nexec {sys.executable} {" ".join(words)} "$@"\n')
        path.chmod(0o755)

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SEATD_")}
        listen = {"SEATD_CLIENTS_LISTEN": "127.0.0.1:0", "SEATD_ADMIN_LISTEN": "127.0.0.1:0"}
        paths = {
            "PATH": f"{self.folder / 'bin'}:{kept['PATH']}",
            "PYTHONPATH": f"{ROOT}:{ROOT / 'protocol'}",
            "SEATD_STORE_BIN": str(engine.tested_engine().path),
        }
        return {**kept, **listen, **paths, **self._environ}

    @staticmethod
    def _end(pid: int) -> None:
        with contextlib.suppress(ProcessLookupError):  # it has ended by itself
            os.killpg(pid, signal.SIGTERM)
