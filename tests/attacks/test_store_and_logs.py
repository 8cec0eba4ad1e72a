"""Whoever reaches the store, what clients could smuggle into it, what stands in logs, and what is done to the audit trail."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis

from seatd.store import checks
from seatd.store.engine import find_engine
from seatd.store.scripts import load
from seatd_protocol.messages import Acquire, Denied, Granted
from tests.attacks.attack import attack, undefended
from tests.attacks.attacker import Attacker
from tests.attacks.browser import PASSWORD, Browser
from tests.attacks.operators import Operator, metrics
from tests.attacks.test_administrators import administrator
from tests.attacks.wire import asked
from tests.hub.token_factory import SECRET
from tests.scenarios.client import Closed
from tests.scenarios.company import Company
from tests.servers import Server, Servers
from tests.store.test_checks import documented_rights
from tests.topologies import sentinel_group

KEYS = re.compile(
    r"seatd:deployment|seatd:\{all\}:\w+|seatd:\{\d\d\}:\w+|seatd:\{\d\d\}:c:[A-Za-z0-9_.~%-]+:\w+"
)


@contextmanager
def engine_of(server: Server) -> Iterator[Any]:
    """The server's own engine, as somebody who got at its socket."""
    client = redis.Redis(unix_socket_path=server.store.removeprefix("unix://"))
    try:
        yield client
    finally:
        client.close()


@attack(
    "S71",
    "a store that asks for no password, is reached without TLS, or whose engine lets scripts run code (CVE-2025-49844)",
    "told in the log at each start and by `seatd doctor`; the embedded store has no port at all, only a socket in a folder "
    "that its owner alone may enter",
    left="seatd starts all the same: distributions mend holes without a new version, and the network may be closed",
)
def test_s71_a_store_without_a_password(servers: Servers) -> None:
    with sentinel_group(replicas=0, sentinels=1, appendonly="yes") as group:
        open_to_all = servers.start("a", store=f"redis://{group.primary().address}")
        assert "asks for no password" in open_to_all.said
        open_to_all.stop()
        group.primary().ask("CONFIG", "SET", "requirepass", "store-password")
        guarded = servers.start("b", store=f"redis://:store-password@{group.primary().address}")
        assert "asks for no password" not in guarded.said
        assert "store-password" not in guarded.said
        guarded.stop()


@attack("S71", "others of this machine go to the embedded store", "its socket is in a folder of mode 0700")
def test_s71_the_embedded_store(server: Server) -> None:
    place = Path(server.store.removeprefix("unix://"))
    assert place.is_socket()
    assert place.parent.stat().st_mode & 0o077 == 0
    with engine_of(server) as engine:
        assert engine.config_get("port")["port"] == "0"


@attack(
    "S71",
    "somebody has the password that seatd uses for the store",
    "give seatd the user that the documentation names: it can neither CONFIG, FLUSHALL, KEYS nor DEBUG, nor touch keys "
    "that are not seatd's",
)
def test_s71_the_least_rights_are_enough(servers: Servers) -> None:
    with sentinel_group(replicas=0, sentinels=1, appendonly="yes") as group:
        primary = group.primary()
        rights = documented_rights(find_engine())
        primary.ask("ACL", "SETUSER", "seatd", "reset", "on", ">pw", *rights)
        node = servers.start("a", store=f"redis://seatd:pw@{primary.address}")
        host, _, port = primary.address.rpartition(":")
        thief = redis.Redis(host, int(port), username="seatd", password="pw")
        for command in (
            "FLUSHALL",
            "CONFIG GET *",
            "KEYS *",
            "SORT seatd:x",
            "GET others",
            "ACL LIST",
            "SHUTDOWN",
        ):
            with pytest.raises(redis.exceptions.NoPermissionError):
                thief.execute_command(*command.split())
        thief.close()
        node.stop()


undefended(
    "S72",
    "somebody who can write to the store forges sessions and seats, or reads the key that tickets are sealed with",
    "the store is what seatd believes: guard it (password, TLS, a user with the least rights, a network of its own), as "
    "`deploy/` does. What is done to the audit trail there is found (S76); forged seats show in the console like others",
)


@attack(
    "S73",
    "texts of clients become part of a Lua script or of a key's name",
    "scripts are files that never change, what clients say goes to them as arguments; a customer's name is quoted in keys, "
    "and no other text of a client is ever in one",
)
async def test_s73_nothing_becomes_code(server: Server, company: Company, operator: Operator) -> None:
    nasty = "x'); redis.call('FLUSHALL') --\""
    with engine_of(server) as engine:
        odd = await company.sign_in(
            server, "x", "CALL_CENTER", device=nasty, token=company.token(f"{nasty}@{company.domain}")
        )
        await company.sign_in(
            server, "y", "CALL_CENTER", token=company.token("y", customer=nasty, groups=[nasty[:60]])
        )
        await operator.call("GET", f"/sessions?search={nasty}")
        await odd.bye() if odd.first != Closed(4401, "bad_token") else None
        cached = engine.info("memory")["number_of_cached_scripts"]
        at_start = hashlib.sha1(checks.REPLID.encode(), usedforsecurity=False).hexdigest()
        known = [at_start, *(script.sha for script in load().values())]
        assert 0 < cached <= sum(engine.script_exists(*known))
        names = [name.decode() for name in engine.scan_iter(count=1000)]
    assert names
    assert [name for name in names if not KEYS.fullmatch(name)] == []


def test_s73_no_script_is_put_together_from_texts() -> None:
    """EVAL is given the text of a file, or of a constant; nothing with braces in it."""
    for file in Path(__file__).parents[2].joinpath("seatd").rglob("*.py"):
        for line in file.read_text().splitlines():
            if re.search(r"\.(eval|evalsha|script_load)\(|['\"](EVAL|EVALSHA|SCRIPT)['\"]", line):
                assert not re.search(r"f['\"].*redis\.call|\.format\(| % ", line), (file, line)


@attack(
    "S74",
    "secrets in logs, answers, metrics, error texts or the process list",
    "none: tokens, secrets, passwords and keys are masked by name and by form; commands take them from files or the "
    "environment",
)
async def test_s74_secrets(servers: Servers) -> None:
    node = servers.launch("a", under=[sys.executable], LOG_LEVEL="debug").wait_ready()
    company, operator = Company(node), Operator(node)
    await company.licensed("CALL_CENTER:competitive:5")
    ann = await company.sign_in(node, "ann", "CALL_CENTER")
    token = company.token("ann")
    bad = company.token("ann")[:-3] + "AAA"
    await company.sign_in(node, "ann", token=bad)
    browser = Browser(node)
    await browser.sign_in(await administrator(operator))
    key = (await operator.get(f"/licenses/{company.name}-1-1/key"))["key"]
    await operator.call("POST", "/licenses", {"key": key[:-3] + "AAA"})
    refused = await operator.call("POST", "/sign-in", {"name": PASSWORD, "password": PASSWORD})
    await asked(
        node.admin, f"GET /api/v1/licenses?token={token} HTTP/1.1", "Host: x", f"Authorization: Bearer {bad}"
    )
    await asked(node.clients, f"GET /v1/connect?token={token} HTTP/1.1", "Host: x", f"X-Token: {token}")
    secrets = [SECRET, node.token, token, bad, ann.welcome.secret, ann.welcome.ticket, PASSWORD, key]
    secrets += [browser.cookie.partition("=")[2], browser.csrf]
    command = command_line(node)
    for shown in (node.said, await metrics(node), command, refused.text):
        for secret in secrets:
            assert secret
            assert secret not in shown
    company.leave()


def command_line(node: Server) -> str:
    return Path(f"/proc/{node.process.pid}/cmdline").read_bytes().decode()


@attack(
    "S75",
    "line ends, escape sequences and direction marks in what is logged, to forge or hide lines",
    "each record is one line of JSON, such characters are escaped; names with control characters are refused before",
)
async def test_s75_forged_log_lines(
    server: Server, company: Company, attacker: Attacker, operator: Operator
) -> None:
    forged = 'x\r\n{"event": "signed in", "level": "info"}\x1b[2J\u202e'
    socket = await attacker.upgraded()
    await socket.send(0x2, attacker.hello(device={"kind": "desktop", "id": forged}))
    await asked(
        server.clients, "GET /v1/connect HTTP/1.1", "Host: x", "Sec-WebSocket-Protocol: a\x1b[2J\x85b"
    )
    await Operator(server, "").call("POST", "/sign-in", {"name": forged, "password": "x"})
    await operator.call("POST", "/logout", {"users": [company.user("ann")], "reason": forged[:100]})
    for line in (await asyncio.to_thread(server.log_file.read_text)).splitlines():
        assert "\x1b" not in line
        assert "\u202e" not in line
        if not line.startswith("seatd ready "):
            assert isinstance(json.loads(line), dict)
            assert json.loads(line).get("event") != "signed in" or "administrator" in line


@attack(
    "S76",
    "entries of the audit trail are edited, removed or put in another order in the store itself",
    "each entry carries the hash of all before it: `seatd doctor` and `GET /api/v1/audit/verify` name the first that does "
    "not follow",
    left="whoever cuts entries off the end leaves a whole trail: keep the head (`head` of `verify`) somewhere else, and "
    "compare",
)
@pytest.mark.parametrize("harm", ["edited", "removed", "swapped"])
async def test_s76_a_falsified_trail(servers: Servers, harm: str) -> None:
    node = servers.start("a")
    company, operator = Company(node), Operator(node)
    await company.licensed("CALL_CENTER:competitive:5")
    for number in range(5):
        await operator.call("PATCH", f"/customers/{company.name}", {"name": f"name {number}"})
    path = f"/audit/verify?customer={company.name}"
    assert (await operator.get(path))["broken"] is None
    with engine_of(node) as engine:
        (trail,) = [name for name in engine.scan_iter("*:audit") if company.name.encode() in name]
        rows = engine.xrange(trail)
        third, fourth = rows[2], rows[3]
        engine.delete(trail)
        if harm == "edited":
            third[1][b"entry"] = (
                third[1][b"entry"].replace(b"name 0", b"name X").replace(b"name 1", b"name Y")
            )
        elif harm == "removed":
            rows.remove(third)
        else:
            rows[2], rows[3] = (third[0], fourth[1]), (fourth[0], third[1])
        for id_, fields in rows:
            engine.xadd(trail, fields, id=id_)
    assert (await operator.get(path))["broken"] is not None


@attack(
    "S77",
    "the store's disk or memory is full, so that nothing can be written into the audit trail",
    "what cannot be recorded is not done: changes are refused with 503 `unavailable`, new seats too; who has a seat goes "
    "on working",
)
async def test_s77_no_room_for_the_trail(servers: Servers) -> None:
    node = servers.start("a", SESSIONS_BEAT="1s", SESSIONS_LEASE="3s", SESSIONS_LINGER="8s")
    company, operator = Company(node), Operator(node)
    await company.licensed("CALL_CENTER:competitive:5")
    ann = await company.sign_in(node, "ann", "CALL_CENTER")
    with engine_of(node) as engine:
        engine.config_set("maxmemory", "1")
        reply = await operator.call("PATCH", f"/customers/{company.name}", {"name": "changed"})
        assert reply.refusal == (503, "unavailable")
        bob = await company.sign_in(node, "bob", "CALL_CENTER")
        assert isinstance(bob.first, Denied)
        assert bob.first.code in ("unavailable", "recovering")
        beats = ann.beats
        while ann.beats < beats + 3:
            await asyncio.sleep(0.01)
        engine.config_set("maxmemory", "0")
    assert (await operator.get(f"/customers/{company.name}"))["name"] != "changed"

    while True:
        await ann.say(Acquire(ref=1, products=("CALL_CENTER",)))
        if isinstance(await ann.recv(), Granted):
            break
        await asyncio.sleep(0.1)
    company.leave()
