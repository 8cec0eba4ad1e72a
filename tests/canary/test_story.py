"""Every kind of secret is used on a whole server that logs all it can; then everything that came out is searched for them."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from redis import Redis

from seatd.web.totp import STEP_S, code_at
from seatd_protocol.messages import Logout, Refresh, Resume
from tests.canary.marks import leaks
from tests.cli.process import process
from tests.engine import PrivateEngine, private_engine
from tests.hub.token_factory import SECRET
from tests.scenarios.administrator import Administrator, operator
from tests.scenarios.company import Company
from tests.servers import Server, Servers

STORE_PASSWORD = "canary-of-the-store-0123456789"
PASSWORD, ANOTHER, WRONG = "canary battery staple", "canary on every door 7", "canary that never fits"
PAGES = (
    "/metrics",
    "/openapi.json",
    "/readyz?verbose",
    "/livez",
    "/",
    *(
        f"/api/v1/{path}"
        for path in (
            "administrators",
            "tokens",
            "sessions",
            "licenses",
            "customers",
            "agencies",
            "checks",
            "audit",
            "audit?format=csv",
            "customers/{customer}",
            "customers/{customer}/users",
            "customers/{customer}/webhooks",
            "customers/{customer}/audit",
            "events?customer={customer}",
            "events?customer={customer}&format=csv",
            "denials?customer={customer}",
            "denials?customer={customer}&format=csv",
            "usage?customer={customer}",
        )
    ),
)
COMMANDS = (
    ("status",),
    ("doctor",),
    ("doctor", "--json"),
    ("license", "list"),
    ("token", "list"),
    ("admin", "list", "--json"),
    ("config", "show"),
    ("config", "show", "--json"),
    ("config", "check"),
    ("config", "check", "--store", f"redis+sentinel:/:{STORE_PASSWORD}@h/m"),
    ("config", "check", "--store", f"redis://:{STORE_PASSWORD}@h:99999/0"),
    ("status", "--url", "http://127.0.0.1:9"),
)

RUN_ALL = """
import json, sys
from click.testing import CliRunner
from seatd.cli.main import cli
for words in json.loads(sys.argv[1]):
    done = CliRunner().invoke(cli, words, prog_name="seatd")
    print(words[0], done.exit_code, done.output)
"""
"""All commands in one process: each would need seconds to start where much else goes on."""


@dataclass
class Story:
    """The secrets by kind, and all that came out, by where it did."""

    server: Server
    engine: PrivateEngine
    company: Company
    secrets: dict[str, str] = field(default_factory=dict)
    out: dict[str, str] = field(default_factory=dict)


@pytest.fixture(scope="module")
def engine() -> Iterator[PrivateEngine]:
    """A store that wants a password."""
    with private_engine() as running:
        with Redis(unix_socket_path=str(running.socket)) as client:
            client.config_set("requirepass", STORE_PASSWORD)
        yield running


@pytest.fixture(scope="module")
def server(engine: PrivateEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A node that is told its secrets by files, and logs all it can."""
    folder = tmp_path_factory.mktemp("secrets")
    (folder / "store").write_text(f"{engine.url}?password={STORE_PASSWORD}\n")
    with Servers() as servers:
        settings = {
            "STORE_URL_FILE": str(folder / "store"),
            "LOG_LEVEL": "debug",
            "WEBHOOKS_ALLOW_PRIVATE": "true",
        }
        yield servers.launch("canary", under=[sys.executable], **settings).wait_ready()


@pytest.fixture
async def story(server: Server, engine: PrivateEngine) -> AsyncIterator[Story]:
    told = Story(server, engine, Company(server))
    told.secrets |= {
        "store's password": STORE_PASSWORD,
        "shared secret of tokens": SECRET,
        "operator's token": server.token,
        "password": PASSWORD,
        "new password": ANOTHER,
        "wrong password": WRONG,
    }
    try:
        await told.company.licensed("CALL_CENTER:competitive:2")
        await clients(told)
        await administrators(told)
        await strangers(told)
        await collect(told)
        yield told
    finally:
        told.company.leave()


async def clients(story: Story) -> None:
    """Somebody signs in, comes back, renews his token, shows a bad one, and is forced out."""
    company, node = story.company, story.server
    token, renewed, foreign = (
        company.token("ann"),
        company.token("ann", ttl_s=7200),
        company.token("ann", aud="no"),
    )
    client = await company.sign_in(node, "ann", "CALL_CENTER", token=token)
    first = client.welcome
    assert first.ticket is not None
    story.secrets |= {
        "client's token": token.rpartition(".")[2],
        "renewed token": renewed.rpartition(".")[2],
        "refused token": foreign.rpartition(".")[2],
        "resume secret": first.secret,
        "ticket": first.ticket,
    }
    client.drop()
    shown = Resume(session=first.session, secret=first.secret, ticket=first.ticket)
    again = await company.sign_in(node, "ann", "CALL_CENTER", token=token, resume=shown)
    assert again.welcome.resumed
    await again.say(Refresh(token=renewed))
    wrong = Resume(session=first.session, secret=first.secret[::-1], ticket=first.ticket[::-1])
    await company.sign_in(node, "bob", "CALL_CENTER", device="d2", resume=wrong)
    await company.sign_in(node, "cid", "CALL_CENTER", token=foreign)
    await operator(node).logout(users=[company.user("ann")])
    await again.until(Logout)


async def administrators(story: Story) -> None:
    """One is made, signs in by password, code and link, changes its secrets; a program and a webhook get theirs."""
    company, root = story.company, operator(story.server)
    name = f"ann@{company.domain}"
    grants = [{"role": "owner", "customers": [company.name]}]
    await root.call("POST", "/administrators", {"name": name, "grants": grants, "password": PASSWORD})
    ann = Administrator(story.server)
    await ann.refused("POST", "/sign-in", {"name": name, "password": WRONG}, status=401)
    await ann.sign_in(name=name, password=PASSWORD)
    begun = await ann.call("POST", "/profile/totp", {"password": PASSWORD})
    code = code_at(begun["secret"], int(time.time()) // STEP_S)
    ann.kept(await ann.call("PUT", "/profile/totp", {"code": code}))
    ann.kept(await ann.call("PUT", "/profile/password", {"old": PASSWORD, "new": ANOTHER}))
    link = await root.call("POST", "/sign-in-links", {"name": name})
    program = await root.call("POST", "/tokens", {"name": "p", "grant": {"role": "operator"}, "days": 1})
    assert await Administrator(story.server, program["token"]).get("/tokens")
    hook = {"url": "https://127.0.0.1:9/", "types": ["denial"]}
    made = await root.call("POST", f"/customers/{company.name}/webhooks", hook)
    await root.call("POST", f"/customers/{company.name}/webhooks/{made['id']}/test")
    story.secrets |= {
        "secret of one-time codes": begun["secret"],
        "session's cookie": next(iter(ann.cookies.values())),
        "sign-in link": link["link"],
        "API token": program["token"],
        "secret of a webhook": made["secret"],
    }


async def strangers(story: Story) -> None:
    """Secrets where they do not belong: in addresses, in broken headers, in bodies that are refused."""
    secrets, admin = story.secrets, f"http://{story.server.admin}"
    async with aiohttp.ClientSession() as http:
        for secret in (secrets["API token"], secrets["client's token"]):
            for path in (f"/api/v1/sessions?token={secret}", f"/api/v1/customers/{secret}", f"/{secret}"):
                async with http.get(admin + path) as refused:
                    assert refused.status >= 400
            async with http.get(f"http://{story.server.clients}/v1/connect?token={secret}") as refused:
                story.out["refused upgrade"] = await refused.text()
        bearer = {"Authorization": f"Bearer {story.server.token}"}
        for body in ({"name": "x", "password": 7, "secret": WRONG}, {"password": [WRONG]}, WRONG):
            async with http.post(f"{admin}/api/v1/sign-in", json=body, headers=bearer) as refused:
                assert refused.status in (400, 401, 422)
                story.out[f"refused {type(body).__name__} {len(body)}"] = await refused.text()
    cookie = secrets["session's cookie"]
    for line in (f"Authorization: Bearer \r\n{story.server.token}", f"Cookie seatd={cookie}"):
        host, _, port = story.server.admin.rpartition(":")
        with socket.create_connection((host, int(port)), 10) as wire:
            wire.sendall(f"GET /api/v1/tokens HTTP/1.1\r\nHost: x\r\n{line}\r\n\r\n".encode())
            wire.recv(65536)  # the refusal may repeat what was sent, to whoever sent it


async def collect(story: Story) -> None:
    """Everything that comes out: pages, exports, commands, the log, what the system tells of the process."""
    server, bearer = story.server, {"Authorization": f"Bearer {story.server.token}"}
    async with aiohttp.ClientSession(headers=bearer) as http:
        for path in PAGES:
            async with http.get(
                f"http://{server.admin}{path}".replace("{customer}", story.company.name)
            ) as page:
                story.out[path] = await page.text()
    environ = {
        "SEATD_STORE_URL": f"redis://:{STORE_PASSWORD}@127.0.0.1:9/0",
        "SEATD_TOKENS_HS256_SECRET": SECRET,
        "SEATD_URL": f"http://{server.admin}",
        "SEATD_TOKEN": server.token,
    }
    done = await asyncio.to_thread(process, json.dumps(COMMANDS), code=RUN_ALL, **environ)
    assert done.returncode == 0, done.stderr
    story.out["commands"] = done.stdout + done.stderr
    story.out["seatd.json"] = (server.folder / "seatd.json").read_text()
    story.out["command line"] = command_line(server)
    story.out["store"] = in_store(story.engine)
    story.out["log"] = server.said


def command_line(server: Server) -> str:
    """What everybody on the machine can see of the process."""
    return Path(f"/proc/{server.process.pid}/cmdline").read_text()


def in_store(engine: PrivateEngine) -> str:
    """All keys and values of the store."""
    with Redis(unix_socket_path=str(engine.socket), password=STORE_PASSWORD) as client:
        read = {
            b"string": client.get,
            b"hash": client.hgetall,
            b"set": client.smembers,
            b"list": lambda key: client.lrange(key, 0, -1),
            b"zset": lambda key: client.zrange(key, 0, -1, withscores=True),
            b"stream": client.xrange,
        }
        return "\n".join(f"{key!r} {read[client.type(key)](key)!r}" for key in client.scan_iter())


KEPT = {"secret of one-time codes", "secret of a webhook"}
"""What the store must know as it is, to compute with it. Of all else it has a hash, or nothing."""


async def test_no_secret_comes_out(story: Story) -> None:
    assert len(story.secrets) == len(set(story.secrets.values())) == 16
    told = {
        f"{kind} in {where}"
        for where, text in story.out.items()
        for kind, secret in story.secrets.items()
        if secret in text and not (where == "store" and kind in KEPT)
    }
    assert not told
    assert "session opened" in story.out["log"] or "seatd ready" in story.out["log"]
    assert all(
        kept in story.out["store"] for kept in (story.secrets[kind] for kind in KEPT)
    )  # it is searched well
    assert all(story.out[path] for path in PAGES)
    assert (
        story.out["commands"].count("redis://:********@127.0.0.1:9/0") >= 2
    )  # that is what they say instead
    assert json.loads(story.out["seatd.json"])["store"]


def test_only_the_owner_reads_what_is_in_the_data_folder(server: Server) -> None:
    folder = server.folder
    open_to_others = [path.name for path in (folder, *folder.rglob("*")) if path.stat().st_mode & 0o077]
    assert "admin.token" in os.listdir(folder)
    assert open_to_others == []


def test_a_store_beside_the_server_gets_no_secrets() -> None:
    """Of the embedded engine: neither its command line nor its environment has any."""
    with Servers() as servers:
        server = servers.launch("embedded", under=[sys.executable]).wait_ready()
        of_engine = Path(f"/proc/{server.engine_pid()}")
        given = (of_engine / "cmdline").read_text() + (of_engine / "environ").read_text()
        assert "redis" in given or "valkey" in given
        assert not leaks(given)
        assert leaks(
            Path(f"/proc/{server.process.pid}/environ").read_text()
        )  # the server's own has one: it is found
        open_to_others = [path.name for path in server.folder.rglob("*") if path.stat().st_mode & 0o077]
        assert open_to_others == []
