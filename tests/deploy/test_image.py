"""The Dockerfile. There is no Docker here: its own commands are run in folders of the test's, and what they make is started as
an image would be, by a user without rights and from a tree that nobody can write."""

from __future__ import annotations

import importlib.metadata
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tomllib
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.deploy.programs import DEPLOY, checked, program

pytestmark = pytest.mark.timeout(600)  # many programs are started, and the machine may be busy

ROOT = DEPLOY.parent
FILE = DEPLOY / "Dockerfile"


def instructions(stage: int) -> list[tuple[str, str]]:
    """Those of a stage, each with its words; lines that go on are put together."""
    text = re.sub(r"^#.*\n", "", FILE.read_text(), flags=re.MULTILINE).replace("\\\n", "")
    stages = re.split(r"^FROM .*\n", text, flags=re.MULTILINE)[1:]
    return [
        (word, rest.strip()) for word, rest in re.findall(r"^([A-Z]+) (.*)$", stages[stage], re.MULTILINE)
    ]


def locked(file: Path) -> dict[str, str]:
    """Name and version of each package of a file of requirements."""
    return dict(re.findall(r"^([\w-]+)==([\w.]+)", file.read_text(), re.MULTILINE))


def test_the_linter_finds_nothing() -> None:
    beside = Path(sys.executable).with_name("hadolint")
    checked(beside if beside.exists() else program("hadolint", "pip: the extra `deploy`"), FILE)


def test_every_package_is_pinned_to_its_hashes() -> None:
    for file in (DEPLOY / "requirements.txt", DEPLOY / "build-requirements.txt"):
        for entry in re.split(r"^(?=[\w-]+==)", file.read_text(), flags=re.MULTILINE)[1:]:
            assert "--hash=sha256:" in entry, entry.splitlines()[0]


def test_what_the_project_needs_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    pinned = locked(DEPLOY / "requirements.txt")
    for text in project["project"]["dependencies"]:
        wanted = Requirement(text)
        assert wanted.specifier.contains(pinned[wanted.name.lower().replace("_", "-")]), text
    built_by = Requirement(project["build-system"]["requires"][0])
    assert built_by.specifier.contains(locked(DEPLOY / "build-requirements.txt")[built_by.name])


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`/opt/seatd` of the image, made by the commands of the Dockerfile."""
    root = tmp_path_factory.mktemp("image")
    root.chmod(0o755)
    base, source = root / "base", root / "src"
    checked(for_everybody(), "-m", "venv", "--without-pip", base)
    # The image has a pip; where Debian's Python brings none of its own, it installs one here.
    checked(
        sys._base_executable, "-m", "pip", "--python", base / "bin" / "python", "install", "--quiet", "pip"
    )
    path = f"{base / 'bin'}:{os.environ['PATH']}"
    for word, words in instructions(0):
        if word == "COPY":
            *files, target = words.split()
            for file in files:
                copied(ROOT / file, source / (target if target != "./" else "."), as_is=target == file)
        elif word == "RUN":
            command = words.replace("/opt/seatd", str(root / "seatd")).replace(
                "/tmp/wheel", str(root / "wheel")
            )
            checked("/bin/sh", "-ec", command, cwd=source, env={**os.environ, "PATH": path})
    return root / "seatd"


def for_everybody() -> str:
    """A Python that other users may run, too: the system's, where ours is in somebody's home."""
    own = "import sys; raise SystemExit(sys.version_info < (3, 11))"
    system = "/usr/bin/python3"
    with suppress(OSError):
        if subprocess.run([system, "-c", own]).returncode == 0:
            return system
    return sys.executable


def copied(file: Path, target: Path, *, as_is: bool) -> None:
    """As COPY does it."""
    if file.is_dir() and as_is:
        shutil.copytree(file, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)


def test_what_it_copies_docker_is_given() -> None:
    """`.dockerignore` lets through what COPY wants, and nothing else."""
    let_through = set(re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    files = {file for word, words in instructions(0) if word == "COPY" for file in words.split()[:-1]}
    assert let_through == files


def test_a_node_of_it_runs_without_rights_and_writes_only_its_data(image: Path, tmp_path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can become another user")
    reachable(tmp_path)
    reachable(image)
    data, pem = tmp_path / "data", tmp_path / "vendor.pem"
    data.mkdir(mode=0o700)
    nobody = pwd.getpwnam("nobody")
    os.chown(data, nobody.pw_uid, nobody.pw_gid)
    pem.write_text(checked(image / "bin" / "seatd", "keys", "new", "--out", tmp_path / "vendor.key"))
    checked("chmod", "-R", "a+rX,a-w", image)
    before = listing(image)
    environ = dict(re.findall(r"(SEATD_\w+|PYTHON\w+)=(\S+)", " ".join(w for _, w in instructions(1))))
    environ |= {"SEATD_STORE_DATA": str(data), "SEATD_LICENSES_TRUST": str(pem), "PATH": "/usr/bin:/bin"}
    environ |= {"SEATD_CLIENTS_LISTEN": "127.0.0.1:0", "SEATD_ADMIN_LISTEN": "127.0.0.1:0"}
    drop = [
        "setpriv",
        f"--reuid={nobody.pw_uid}",
        f"--regid={nobody.pw_gid}",
        "--clear-groups",
        "--no-new-privs",
    ]
    with open(tmp_path / "log", "w") as log:
        server = subprocess.Popen(
            [program("setpriv", "util-linux"), *drop[1:], image / "bin" / "seatd", "serve"],
            env=environ, cwd=data, stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
    try:
        assert server.stdout is not None
        ready = server.stdout.readline()
        assert ready.startswith("seatd ready"), (tmp_path / "log").read_text()
        admin = re.findall(r"admin=(\S+)", ready)[0]
        with urllib.request.urlopen(f"http://{admin}/livez", timeout=5) as page:
            assert page.status == 200
        assert os.stat(f"/proc/{server.pid}").st_uid == nobody.pw_uid
    finally:
        server.send_signal(signal.SIGTERM)
        code = server.wait(30)
        server.stdout.close()  # type: ignore[union-attr]
    assert code == 0
    assert listing(image) == before


def reachable(folder: Path) -> None:
    """Others may pass through the folders above it."""
    for above in folder.parents:
        if above.stat().st_uid == os.getuid() and "pytest" in str(above):
            above.chmod(0o755)
    folder.chmod(0o755)


def listing(folder: Path) -> set[tuple[str, float]]:
    return {(str(file), file.stat().st_mtime) for file in folder.rglob("*")}


def test_what_is_pinned_is_what_is_tested(image: Path) -> None:
    """The image holds the versions that these tests run with, where they run with the newest that the project allows."""
    told = checked(
        image / "bin" / "python", "-c", "import importlib.metadata as m; print(m.version('aiohttp'))"
    ).strip()
    assert told == locked(DEPLOY / "requirements.txt")["aiohttp"]
    assert importlib.metadata.version("aiohttp").split(".")[0] == told.split(".")[0]
    assert not [*(image / "lib").rglob("hatchling")]
