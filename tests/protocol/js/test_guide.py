"""The guide for client developers: every command and every program in it is run, in its order, on a real server."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest
import pytest_asyncio

from seatd_protocol.codes import CLOSE_CODES, DENIAL_CODES, action_of
from seatd_protocol.messages import SERVER_TYPES
from tests import engine
from tests.protocol.js.runtimes import ROOT, node_program

GUIDE = ROOT / "docs" / "clients.md"
README = ROOT / "protocol" / "js" / "README.md"
TEXT = GUIDE.read_text()
USUAL_ADDRESS = "127.0.0.1:8470"
WAIT_S = 60.0


class Sample(NamedTuple):
    """A fenced block: its language, and the file or the place that stands behind it."""

    language: str
    name: str
    text: str


SAMPLES = [Sample(*found) for found in re.findall(r"^```(\w+) ?(\S*)\n(.*?)^```$", TEXT, re.M | re.S)]


class Desk:
    """A folder in which somebody follows the guide. What runs on in a second terminal is ended with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.done: set[Sample] = set()
        self._running: list[asyncio.subprocess.Process] = []
        self._address = USUAL_ADDRESS

    def sample(self, language: str, name: str, nth: int = 0) -> Sample:
        """A block of the guide, which counts as followed from now on."""
        found = [sample for sample in SAMPLES if (sample.language, sample.name) == (language, name)][nth]
        self.done.add(found)
        return found

    async def start(self, command: str) -> asyncio.subprocess.Process:
        """Runs a command that may go on for long."""
        process = await asyncio.create_subprocess_exec(
            "bash", "-euc", command, cwd=self.folder, env=self._environment(), start_new_session=True,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        self._running.append(process)
        return process

    async def run(self, command: str) -> str:
        """What a command prints; it must succeed."""
        process = await self.start(command)
        printed, _ = await process.communicate()
        assert process.returncode == 0, printed.decode()
        return printed.decode()

    async def serve(self, command: str) -> None:
        """The server, on addresses of its own."""
        process = await self.start(command)
        ready = await line_with(process, "seatd ready")
        self._address = ready.split("clients=")[1].split()[0]

    def write(self, language: str, name: str) -> str:
        """Puts a program of the guide into the folder; its name."""
        text = self.sample(language, name).text
        (self.folder / name).write_text(text.replace(USUAL_ADDRESS, self._address))
        return name

    async def end(self) -> None:
        """Ends what still runs, the server last."""
        for process in reversed(self._running):
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, 15)
                await process.communicate()

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SEATD_")}
        listen = {"SEATD_CLIENTS_LISTEN": "127.0.0.1:0", "SEATD_ADMIN_LISTEN": "127.0.0.1:0"}
        paths = {"PATH": f"{self.folder / 'bin'}:{kept['PATH']}", "PYTHONPATH": f"{ROOT}:{ROOT / 'protocol'}"}
        return {**kept, **listen, **paths, "SEATD_STORE_BIN": str(engine.tested_engine().path)}


async def line_with(process: asyncio.subprocess.Process, text: str) -> str:
    """The next line with that in it; what was printed before is passed over."""
    assert process.stdout is not None
    seen = []
    async with asyncio.timeout(WAIT_S):
        async for line in process.stdout:
            seen.append(line.decode())
            if text in seen[-1]:
                return seen[-1]
    raise AssertionError(f"no {text!r} in {seen}")


def program(path: Path, *words: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'#!/bin/sh\nexec {" ".join(words)} "$@"\n')
    path.chmod(0o755)


@pytest_asyncio.fixture(loop_scope="session")
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    node_program()
    program(tmp_path / "bin" / "seatd", sys.executable, "-m", "seatd")
    program(tmp_path / "bin" / "python", sys.executable)
    own = Desk(tmp_path)
    try:
        yield own
    finally:
        await own.end()


async def get_the_client(desk: Desk) -> None:
    command = desk.sample("sh", "npm").text
    assert "/path/to/seatd/protocol/js" in command
    if shutil.which("npm") is not None:
        copy = desk.folder / "seatd" / "protocol" / "js"
        shutil.copytree(ROOT / "protocol/js", copy, ignore=shutil.ignore_patterns("node_modules", "types"))
        await desk.run(command.replace("/path/to/seatd/protocol/js", str(copy)))
    else:
        (desk.folder / "node_modules").mkdir()
        (desk.folder / "node_modules" / "seatd-client").symlink_to(ROOT / "protocol/js")


async def test_the_guide_is_followed(desk: Desk) -> None:
    await desk.run(desk.sample("sh", "", 0).text)
    await desk.serve(desk.sample("sh", "server").text)
    await desk.run(desk.sample("sh", "", 1).text)
    await get_the_client(desk)

    for run in (f"python {desk.write('python', 'sign_in.py')}", f"node {desk.write('js', 'sign_in.mjs')}"):
        assert await desk.run(run) == "a seat of CALL_CENTER for anna@acme.example\n"

    desk.write("python", "work.py")
    desk.write("js", "work.mjs")
    anna = await desk.start(f"exec {desk.sample('sh', 'anna').text}")
    await line_with(anna, "at work")
    ben = await desk.start(f"exec {desk.sample('sh', 'ben').text}")
    await line_with(ben, "waiting, place 1")
    receipt = await desk.run(desk.sample("sh", "", 2).text)
    assert "acknowledged" in receipt
    await line_with(anna, "because: The shift is over")
    await line_with(anna, "the end: 4302 logout")
    assert await anna.wait() == 0
    await line_with(ben, "at work")
    await desk.run("seatd logout --data demo --cooldown 0s ben@acme.example")
    await line_with(ben, "the end: 4302 logout")
    assert await ben.wait() == 0

    assert await desk.run(f"python {desk.write('python', 'tokens.py')}") == "Welcome\n"
    assert await desk.run(f"node {desk.write('js', 'tokens.mjs')}") == "welcome\n"
    heard = (await desk.run(f"python {desk.write('python', 'wire.py')}")).splitlines()
    assert [line for line in heard if line != "heard notice"] == [
        *("heard welcome", "heard beat", "heard beat", "heard beat", "closed 1000"),
    ]
    assert desk.done == set(SAMPLES)  # all of it was followed


def test_both_clients_in_every_chapter_with_a_program() -> None:
    stems = {
        language: {s.name.rpartition(".")[0] for s in SAMPLES if s.language == language}
        for language in ("python", "js")
    }
    assert stems["python"] - {"wire"} == stems["js"]


def table(heading: str) -> list[list[str]]:
    text = TEXT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return [
        [cell.strip() for cell in row.strip("|").split("|")]
        for row in re.findall(r"^\|.*\|$", text, re.M)[2:]
    ]


def test_every_close_code_has_a_row() -> None:
    rows = "\n".join(row[0] for row in table("When a connection ends"))
    for number in CLOSE_CODES:
        assert str(number) in rows or f"{number // 100}xx" in rows
    assert action_of(1006) is action_of(9999) is action_of(4100)


def test_what_is_shown_is_what_there_is() -> None:
    """Events, denials and close codes in the table exist."""
    words = {word for row in table("What to show the person") for word in re.findall(r"`(\w+)`", row[0])}
    known = {*SERVER_TYPES, *DENIAL_CODES, *(code.slug for code in CLOSE_CODES.values()), "closed", "lapsed"}
    assert words <= known
    assert words >= {"queued", "welcome", "denied", "closed", "lapsed", "logout", "notice", "changed"}


def test_every_piece_is_there() -> None:
    for piece, python, javascript in table("Writing your own"):
        for folder, names in ((ROOT / "protocol/seatd_protocol", python), (ROOT / "protocol/js", javascript)):
            found = re.findall(r"`([\w.]+)`", names)
            assert found, piece
            assert all((folder / name).is_file() for name in found), (piece, names)


def test_the_readme_names_every_file() -> None:
    named = set(re.findall(r"`(\w+\.js)`", README.read_text()))
    assert named == {path.name for path in README.parent.glob("*.js")} - {"index.js"}


@pytest.mark.parametrize("page", [GUIDE, README], ids=["clients.md", "README.md"])
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", there.read_text(), re.M)
            anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in anchors, target
