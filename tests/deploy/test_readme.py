"""Every command of deploy/README.md is run here, as it stands there: only paths, ports and groups are those of the test. What
wants a systemd, Docker or Kubernetes that runs says so on the page, and is only read by a shell."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from seatd.licensing.keys import public_pem, sign
from tests.deploy.edge import Certificate, haproxy_file, nginx_file
from tests.deploy.engines import Engine
from tests.deploy.programs import DEPLOY, free_ports, listens, program
from tests.licensing.build import VENDOR
from tests.scenarios.company import Company
from tests.scenarios.conftest import Pair
from tests.servers import Server, Servers

pytestmark = pytest.mark.timeout(600)  # many programs are started, and the machine may be busy

ROOT = DEPLOY.parent
PAGE = (DEPLOY / "README.md").read_text()
BLOCK = re.compile(r"<!-- (test|not run): ([\w-]+) -->\n```sh\n(.*?)```", re.DOTALL)
BLOCKS = {name: text for kind, name, text in BLOCK.findall(PAGE) if kind == "test"}
NOT_RUN = [(name, text) for kind, name, text in BLOCK.findall(PAGE) if kind == "not run"]
SEATD = Path(sys.executable).with_name("seatd")
DONE: set[str] = set()


class Machine:
    """Where the commands run: folders of the test's own in place of the machine's. `set` names what else is another here."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.changes: dict[str, str] = {"-g seatd": "-g root", "chgrp seatd": "chgrp root"}
        for place in ("/opt", "/usr/lib/sysusers.d", "/etc", "/var"):
            self.changes[place] = str(root / place.strip("/"))
        for folder in (
            "opt",
            "usr/lib/sysusers.d",
            "etc/systemd/system",
            "etc/seatd",
            "var/lib/valkey",
            "var/backups",
        ):
            (root / folder).mkdir(parents=True)

    def set(self, old: str, new: str) -> None:
        self.changes[old] = new

    def path(self, place: str) -> Path:
        """Where a path of the page is."""
        return self.root / place.strip("/")

    def run(self, name: str, cwd: Path = ROOT, **environ: str) -> str:
        """Runs the block of that name; what it says. It must succeed."""
        DONE.add(name)
        text = re.sub(
            "|".join(map(re.escape, self.changes)), lambda found: self.changes[found[0]], BLOCKS[name]
        )
        path = f"{self.root / 'bin'}:{SEATD.parent}:{os.environ['PATH']}:/usr/sbin:/sbin"
        done = subprocess.run(
            ["/bin/bash", "-euo", "pipefail", "-c", text],
            cwd=cwd, env={**os.environ, **environ, "PATH": path}, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """An empty one."""
    return Machine(tmp_path)


@pytest.fixture
def engine(machine: Machine) -> Iterator[Engine]:
    """The store of the machine, with its users; `valkey-server` is the engine of the tests."""
    program("redis-cli", "redis-tools")
    made = Engine(machine.path("/etc/valkey"))
    (machine.root / "bin").mkdir()
    (machine.root / "bin" / "valkey-server").symlink_to(made.program.path)
    machine.set("127.0.0.1:6379", f"127.0.0.1:{made.port}")
    with made.running():
        yield made


@pytest.fixture
def node(machine: Machine, engine: Engine) -> Iterator[Server]:
    """Node `a` of the machine."""
    with Servers() as servers:
        started = servers.start("a", store=engine.url())
        at(machine, started)
        yield started


def at(machine: Machine, node: Server) -> None:
    machine.changes = {
        "/var/lib/seatd/a": str(node.folder),
        "127.0.0.1:8471": node.admin,
        "/opt/seatd/bin/seatd": str(SEATD),
        "/opt/seatd/deploy": str(DEPLOY),
        **machine.changes,
    }


# -- installing, and other versions ---------------------------------------------------------------


def test_installing_upgrading_and_back(machine: Machine, tmp_path: Path) -> None:
    system = tmp_path / "bin"
    system.mkdir()
    (system / "python3").symlink_to(sys._base_executable)
    source = tmp_path / "source"
    for name in ("seatd", "protocol", "loadtest", "deploy", "pyproject.toml", "README.md", "LICENSE"):
        copied(ROOT / name, source / name)
    assert machine.run("install", source).splitlines()[-1].startswith("seatd")
    current = machine.path("/opt/seatd")
    assert current.resolve() == machine.path("/opt/seatd-0.1.0")
    (source / "vendor.pem").write_bytes(public_pem(VENDOR.public_key()))
    machine.set("systemd-sysusers ", "systemd-sysusers --dry-run ")
    machine.run("unit", source)
    machine.run("store", source)
    machine.path("/etc/seatd/a.toml").write_text(
        machine.path("/etc/seatd/a.toml").read_text().replace("/etc/seatd", str(machine.path("/etc/seatd")))
    )
    assert oct(machine.path("/etc/seatd/store.url").stat().st_mode)[-3:] == "640"
    assert machine.path("/etc/systemd/system/seatd-server@.service").exists()
    machine.run("upgrade", source)
    assert current.resolve() == machine.path("/opt/seatd-next")
    machine.run("rollback", source)
    assert current.resolve() == machine.path("/opt/seatd-0.1.0")


def copied(file: Path, target: Path) -> None:
    target.parent.mkdir(exist_ok=True)
    if file.is_dir():
        shutil.copytree(file, target, ignore=shutil.ignore_patterns("__pycache__", "secrets"))
    else:
        shutil.copy(file, target)


# -- looking --------------------------------------------------------------------------------------


def test_what_a_node_says(machine: Machine, node: Server, tmp_path: Path) -> None:
    etc = machine.path("/etc/seatd")
    (etc / "store.url").write_text("redis://seatd:x@127.0.0.1:6379")
    (etc / "tokens.secret").write_text("s" * 32)
    (etc / "vendor.pem").write_bytes(public_pem(VENDOR.public_key()))
    (etc / "a.toml").write_text(
        (DEPLOY / "systemd" / "node.toml").read_text().replace("/etc/seatd", str(etc))
    )
    (tmp_path / "acme.license").write_text(license_of("acme"))
    told = machine.run("look", tmp_path)
    assert "[+] draining" in told
    assert "acme-1" in told
    looked = machine.run("first-look")
    assert "seatd_store_up 1.0" in looked


def license_of(customer: str) -> str:
    times = {"valid_from": "2020-01-01T00:00:00Z", "valid_till": "2099-01-01T00:00:00Z"}
    entry = {"id": f"{customer}-1", "product": "CALL_CENTER", "kind": "competitive", "limit": 2, **times}
    claims = {"iss": "vendor", "jti": "k1", "iat": 1_700_000_000, "customer": {"id": customer}}
    return sign({**claims, "domains": [f"{customer}.example"], "licenses": [entry]}, VENDOR)


async def test_what_stands_before_them_reads_its_file(
    machine: Machine, nodes: Pair, certificate: Certificate, tmp_path: Path
) -> None:
    program("haproxy")
    file = machine.path("/etc/haproxy/haproxy.cfg")
    file.parent.mkdir()
    file.write_text(haproxy_file(nodes, certificate, free_ports(3)))
    (tmp_path / "nginx.conf").write_text(nginx_file(nodes, certificate, free_ports(2), tmp_path))
    machine.set("nginx -t", f"{program('nginx', 'nginx-light')} -t -p {tmp_path} -c {tmp_path}/nginx.conf")
    machine.run("edge")


# -- the store ------------------------------------------------------------------------------------


async def test_backup_and_restore(machine: Machine, engine: Engine, node: Server) -> None:
    company = Company(node)
    (license_,) = await company.licensed("CALL_CENTER:competitive:2")
    machine.run("backup")
    node.stop()
    with engine.client("operator") as client:
        client.flushall()
    stopped(engine)
    machine.run("restore")
    assert not listens(engine.port)
    with engine.running(more=f"dir {machine.path('/var/lib/valkey')}"):
        node.launch()
        node.wait_ready()
        rows = await node.call("GET", "/api/v1/licenses")
        assert [row["id"] for row in rows["items"]] == [license_]
        assert node.stop() == 0


def stopped(engine: Engine) -> None:
    with Redis.from_url(engine.url("operator")) as client, pytest.raises(Exception, match=r"(?i)connection"):
        client.shutdown(nosave=True)
        raise ConnectionError("connection closed")
    while listens(engine.port):
        pass


async def test_backup_of_a_store_of_its_own(machine: Machine) -> None:
    program("redis-cli", "redis-tools")
    with Servers() as servers:
        node = servers.start("a")
        at(machine, node)
        machine.run("backup-own")
    assert machine.path("/var/backups/seatd-a.rdb").read_bytes()[:5] in (b"REDIS", b"VALKE")


async def test_another_password_of_the_store(machine: Machine, engine: Engine, node: Server) -> None:
    old = engine.url()
    if engine.program.name == "redis" and engine.program.version < (7, 2, 0):
        machine.set("make-users.sh ", "make-users.sh --redis-7.0 ")
    machine.run("store-password")
    new = machine.path("/etc/seatd/store.url").read_text().strip()
    assert new == engine.url() != old
    for url in (old, new):
        with Redis.from_url(url) as client:
            assert client.ping()
    machine.run("store-password-old")
    with Redis.from_url(old) as client, pytest.raises(Exception, match="invalid username-password"):
        client.ping()
    node.kill()  # it has the old one still: the page says to restart it before


def test_a_planned_failover(machine: Machine, engine: Engine) -> None:
    """Here is no sentinel that could do it: what it is asked is written down."""
    cli = machine.root / "bin" / "redis-cli"
    asked = machine.root / "asked"
    cli.write_text(
        f'#!/bin/sh\ncase "$*" in *26379*) echo "$*" >{asked};; *) exec {program("redis-cli")} "$@";; esac\n'
    )
    cli.chmod(0o755)
    assert machine.run("failover").strip() == "OK"
    assert asked.read_text().strip() == "-p 26379 SENTINEL FAILOVER seatd"


# -- keys -----------------------------------------------------------------------------------------


def test_another_key_of_the_vendor(machine: Machine, tmp_path: Path) -> None:
    machine.run("vendor-key", tmp_path)
    assert (tmp_path / "vendor-2.pem").read_text().startswith("-----BEGIN PUBLIC KEY")
    assert (tmp_path / "acme-2.license").read_text().strip()


async def test_another_token_of_the_operator(machine: Machine, node: Server) -> None:
    old: dict[str, Any] = (await node.call("GET", "/api/v1/tokens"))["items"][0]
    former = node.token
    (node.folder / "admin.token").unlink()
    assert node.stop() == 0
    node.relaunch()
    node.wait_ready()
    assert node.token != former
    assert old["id"]
    told = machine.run("admin-token", OLD_ID=old["id"])
    assert len(json.loads(told.splitlines()[0])["items"]) == 2
    left = (await node.call("GET", "/api/v1/tokens"))["items"]
    assert old["id"] not in [token["id"] for token in left]


# -- the page -------------------------------------------------------------------------------------


def test_commands_that_are_not_run_are_read_by_a_shell() -> None:
    for reason, text in NOT_RUN:
        assert reason in ("systemd", "docker", "kubernetes")
        subprocess.run(["/bin/bash", "-n", "-c", text], check=True)


def test_every_block_says_whether_it_is_run() -> None:
    assert len(re.findall(r"^```sh$", PAGE, re.MULTILINE)) == len(BLOCKS) + len(NOT_RUN)
    mentioned = set(re.findall(r'\.run\("([\w-]+)"', Path(__file__).read_text()))
    assert set(BLOCKS) == mentioned


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", PAGE):
        assert (DEPLOY / target).exists(), target
    anchors = {
        re.sub(r"[^\w -]", "", head).lower().replace(" ", "-")
        for head in re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) <= anchors


def test_every_file_here_is_tried_by_something() -> None:
    """Each is in a row of the table that says by what."""
    table = re.findall(r"^\| (\[.+?) \| .+? \| (.+?) \|$", PAGE.split("## Ports")[0], re.MULTILINE)
    tried = [place for row, by in table if by for place in re.findall(r"\]\(([^)]+)\)", row)]
    files = subprocess.run(
        ["git", "ls-files", "."], cwd=DEPLOY, capture_output=True, text=True
    ).stdout.split()
    if not files:
        pytest.skip("no git: what belongs to the repository is not known")
    folders = tuple(f"{Path(place).parts[0]}/" for place in tried if "/" in place)
    assert [file for file in files if file not in tried and not file.startswith(folders)] == ["README.md"]
