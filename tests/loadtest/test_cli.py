"""The load tester as an operator runs it: against a server of its own, and against one that is there."""

from __future__ import annotations

import asyncio
import datetime
import json
import os
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from loadtest.cli import main
from loadtest.processes import children
from loadtest.scenarios import SCENARIOS
from seatd.licensing.keys import public_pem
from tests.scenarios.company import SECRET, Company
from tests.servers import Server, Servers

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
        ("churn", {"first sign-in": 6}),
        ("storm", {"sign-in": 12}),
        ("reconnect", {"sign-in": 12, "resume": 12}),
        ("queue", {"sign-in": 6, "handed on": 6}),
        ("logout", {"sign-in": 12, "logout told": 12, "logout closed": 12, "logout answered": 1}),
        ("roaming", {"sign-in": 12, "move": 20}),
        ("kill", {"sign-in": 12, "back": 12}),
    ],
)
def test_a_scenario_on_a_server_of_its_own(tmp_path: Path, scenario: str, steps: dict[str, int]) -> None:
    done = run(scenario, *FEW, "--report", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    found = reported(tmp_path)
    assert found["errors"] == 0
    assert {name: found["steps"][name]["count"] for name in steps} == steps
    assert max(found["series"]["live"]) <= 12
    if scenario == "churn":
        assert found["steps"]["sign-in"]["count"] + found["steps"]["goodbye"]["count"] == 20


def test_every_scenario_is_tried() -> None:
    tried = test_a_scenario_on_a_server_of_its_own.pytestmark[0].args[1]  # type: ignore[attr-defined]
    assert {scenario for scenario, _ in tried} == set(SCENARIOS)


def test_nobody_is_forgotten_by_the_server(tmp_path: Path) -> None:
    """What the clients believe is what the server counts."""
    assert run("steady", *FEW, "--report", str(tmp_path)).returncode == 0
    found = reported(tmp_path)
    assert found["sessions_by_the_server"] == found["series"]["live"][-1] == 12
    assert sum(number for _, number in found["histograms"]["steps"]["acquire"]) == 20


async def licensed(node: Server, *licenses: str) -> Company:
    company = Company(node)
    await company.licensed(*licenses)
    return company


def at(company: Company, secret_file: Path, *nodes: Server) -> tuple[str, ...]:
    secret_file.write_text(SECRET)
    urls = [word for node in nodes for word in ("--url", f"ws://{node.clients}")]
    whose = ("--customer", company.name, "--domain", company.domain, "--secret-file", str(secret_file))
    return (*urls, *whose)


async def test_a_server_that_is_there(tmp_path: Path) -> None:
    """With too few seats, over JSON: who finds none is counted, and it is no error. Afterwards nobody is left there."""
    with Servers() as servers:
        node = servers.start("load")
        company = await licensed(node, "CALL_CENTER:competitive:5")
        where = at(company, tmp_path / "secret", node)
        sources = ("--source", "127.0.0.9-127.0.0.12")
        done = run("storm", *FEW, *where, "--json", *sources, "--report", str(tmp_path))
        assert done.returncode == 0, done.stdout + done.stderr
        found = reported(tmp_path)
        assert (found["steps"]["sign-in"]["count"], found["counts"]["denied no_seat"]) == (5, 7)
        assert found["options"]["sources"] == ["127.0.0.9-127.0.0.12"]
        assert SECRET not in (tmp_path / "report.json").read_text()
        assert await company.sessions() == []


async def test_no_free_seat_is_told_before_anything_is_measured(tmp_path: Path) -> None:
    with Servers() as servers:
        node = servers.start("load")
        company = await licensed(node, "CALL_MANAGER:competitive:5")
        done = run("storm", *FEW, *at(company, tmp_path / "secret", node))
    assert done.returncode == 2
    assert "denied" in done.stderr
    assert "a free seat of CALL_CENTER?" in " ".join(done.stderr.split())


async def test_a_logout_spares_people(tmp_path: Path) -> None:
    """A customer that somebody else works for is left alone."""
    with Servers() as servers:
        node = servers.start("load")
        company = await licensed(node, "CALL_CENTER:competitive:50")
        await company.sign_in(node, "ann", "CALL_CENTER", acks=True)
        admin = ("--admin", f"http://{node.admin}", "--token", node.token)
        where = at(company, tmp_path / "secret", node)
        done = run("logout", *FEW, *where, *admin)
        assert done.returncode == 2
        assert "has 1 sessions that are not the load tester's" in " ".join(done.stderr.split())
        wrong = run("logout", *FEW, *where, "--admin", f"http://{node.admin}", "--token", "no-token")
        assert wrong.returncode == 2
        assert "the REST API answers" in " ".join(wrong.stderr.split())
        company.leave()


async def test_a_logout_that_is_refused_leaves_nobody_behind(tmp_path: Path) -> None:
    """Who may see sessions but not end them is told so late: all have signed in by then, and must leave."""
    with Servers() as servers:
        node = servers.start("load")
        company = await licensed(node, "CALL_CENTER:competitive:50")
        grant = {"role": "auditor", "customers": [company.name]}
        made = await node.call("POST", "/api/v1/tokens", {"name": "reads", "grant": grant, "days": 1})
        admin = ("--admin", f"http://{node.admin}", "--token", made["token"])
        where = at(company, tmp_path / "secret", node)
        done = run("logout", *FEW, *where, *admin, "--report", str(tmp_path))
        assert done.returncode == 1
        assert "could not go on: the REST API answers POST /api/v1/logout with 403" in done.stderr
        assert reported(tmp_path)["counts"]["error the scenario could not go on"] == 1
        assert await company.sessions() == []


async def test_a_queue_in_which_nobody_waits(tmp_path: Path) -> None:
    """Nothing was measured then, and that is no success."""
    with Servers() as servers:
        node = servers.start("load")
        company = await licensed(node, "CALL_CENTER:competitive:50")
        done = run("queue", *FEW, *at(company, tmp_path / "secret", node), "--report", str(tmp_path))
    assert done.returncode == 1
    assert "as many free seats as --seats says" in " ".join(done.stderr.split())
    assert reported(tmp_path)["counts"]["error nobody waited"] == 1


async def test_a_node_that_somebody_else_kills(tmp_path: Path) -> None:
    with Servers() as servers:
        stays = servers.start("stays")
        dies = servers.start("dies", store=stays.store)
        company = await licensed(stays, "CALL_CENTER:competitive:12")
        where = at(company, tmp_path / "secret", stays, dies)
        few = ("--clients", "12", "--seconds", "30")
        with started("kill", *few, *where, "--report", str(tmp_path)) as process:
            await asyncio.to_thread(until_said, process, "Kill the last node now")
            dies.kill()
            said, _ = await asyncio.to_thread(process.communicate, timeout=60)
            assert process.returncode == 0, said
        found = reported(tmp_path)
        assert (found["steps"]["back"]["count"], found["errors"]) == (12, 0)


async def test_over_tls_with_tokens_by_key(tmp_path: Path) -> None:
    certificate, key = certified(tmp_path)
    signing = ed25519.Ed25519PrivateKey.generate()
    (tmp_path / "clients.pem").write_bytes(public_pem(signing.public_key()))
    private = signing.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "clients.key").write_bytes(private)
    settings = {"CLIENTS_TLS_CERT": str(certificate), "CLIENTS_TLS_KEY": str(key)}
    with Servers() as servers:
        node = servers.start("load", **settings, TOKENS_KEYS=str(tmp_path / "clients.pem"))
        company = await licensed(node, "CALL_CENTER:competitive:12")
        url = f"wss://{node.clients.removeprefix('wss://')}"
        whose = (
            "--customer",
            company.name,
            "--domain",
            company.domain,
            "--key",
            str(tmp_path / "clients.key"),
        )
        done = run("storm", *FEW, "--url", url, *whose, "--ca", str(certificate))
        assert done.returncode == 0, done.stdout + done.stderr
        stranger = run("storm", *FEW, "--url", url, *whose)
        assert stranger.returncode == 2
        assert "SSL" in stranger.stderr


def certified(folder: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "tls.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / "tls.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return folder / "tls.pem", folder / "tls.key"


HERE = ("--tokens", __file__)
NOWHERE = ("--url", "ws://127.0.0.1:1", *HERE)


@pytest.mark.parametrize(
    ("args", "why"),
    [
        (("storm", "--clients", "1001"), "--no-limits"),
        (("storm", "--seconds", "601"), "--no-limits"),
        (("storm", "--rate", "2001"), "--no-limits"),
        (("storm", "--clients", "1000000", "--no-limits"), "ulimit"),
        (("ramp", "--seconds", "nan"), "numbers with an end"),
        (("ramp", "--seconds", "inf", "--no-limits"), "numbers with an end"),
        (("ramp", "--rate", "inf", "--no-limits"), "numbers with an end"),
        (("storm", "--clients", "0"), "--clients"),
        (("sleep",), "sleep"),
        (("storm", "--url", "ws://127.0.0.1:1"), "--secret-file, --key or --tokens"),
        (("storm", *HERE), "belong to a server"),
        (("storm", *NOWHERE, "--secret-file", __file__), "give one of"),
        (("storm", *NOWHERE, "--kid", "k"), "--kid"),
        (("storm", *NOWHERE, "--nodes", "2"), "repeat --url"),
        (("storm", "--url", "ws://127.0.0.1:1", "--key", __file__), "is not a private key"),
        (("storm", "--url", "ws://127.0.0.1:1", "--secret-file", "/bin/ls"), "not text"),
        (("storm", "--user", "everybody"), "the same name"),
        (("storm", "--source", "here"), "no IP address"),
        (("storm", "--source", "127.0.0.2", "--source", "203.0.113.7"), "connect from 203.0.113.7"),
        (("storm", "--report", f"{__file__}/below"), "the report cannot be written"),
        (("logout", *NOWHERE), "--admin"),
        (("queue", "--clients", "5", "--seats", "5"), "more --clients"),
        (("kill", "--nodes", "1"), "two --nodes"),
        (("kill", *NOWHERE), "--url of two nodes"),
        (("storm", "--url", "http://x", *HERE, "--clients", "1"), "no ws://"),
        (("storm", *NOWHERE, "--clients", "1"), "could not sign in"),
    ],
)
def test_what_is_asked_for_wrongly(args: tuple[str, ...], why: str) -> None:
    done = CliRunner().invoke(main, args)
    assert done.exit_code == 2, done.output
    assert why in " ".join(done.output.split())
    assert "Traceback" not in done.output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_has_a_report(tmp_path: Path, number: signal.Signals) -> None:
    """Nothing stays behind, and nobody's end is an error. A terminal's Ctrl-C goes to a whole process group: the server is in
    another one, so that it does not end below its clients."""
    few = ("--clients", "20", "--seconds", "500", "--rate", "50")
    with started("ramp", *few, "--report", str(tmp_path), start_new_session=True) as process:
        until_said(process, "sessions")
        (own,) = children(process.pid)
        assert os.getpgid(own) != process.pid
        os.killpg(process.pid, number)
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 0, said
    assert "Traceback" not in said
    assert reported(tmp_path)["stopped"] is True
    assert not Path(f"/proc/{own}").exists()


@contextmanager
def started(*args: str, start_new_session: bool = False) -> Iterator[subprocess.Popen[str]]:
    """One that runs; however the test ends, it ends."""
    with subprocess.Popen(
        command(*args),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        start_new_session=start_new_session,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()


def until_said(process: subprocess.Popen[str], words: str) -> None:
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if words in line:
            return
    raise AssertionError(said)
