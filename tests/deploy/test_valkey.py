"""The engine as `deploy/valkey/` sets it up: seatd works with the rights that it has, and nobody has any others."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError, ResponseError

from seatd_protocol.messages import Logout, Welcome
from tests.deploy.engines import FILES, Engine
from tests.deploy.programs import checked, program, rewritten, running
from tests.engine import tested_engine as engine_of_tests
from tests.scenarios.company import Company
from tests.servers import Servers, eventually
from tests.topologies.servers import until

pytestmark = pytest.mark.timeout(600)  # many programs are started, and the machine may be busy

SOURCES = Path(__file__).parents[2] / "seatd" / "store"
CONNECTING = {
    "auth",
    "hello",
    "ping",
    "client|setinfo",
    "client|setname",
    "subscribe",
    "unsubscribe",
    "asking",
}
"""What the client library says by itself."""
OTHER_WORDS = {"limit", "count", "path", "loading", "noscript"}
IN_SCRIPTS = re.compile(r"redis\.p?call\(\s*['\"](\w+)['\"]")
IN_PYTHON = re.compile(r"\(\"([A-Z]{3,})\"(?:, \"([A-Z]+)\")?")


PAGES = (
    "licenses",
    "licenses/totals?customer=CUSTOMER",
    "sessions",
    "usage?customer=CUSTOMER&resolution=hour",
    "denials?customer=CUSTOMER",
    "events?customer=CUSTOMER",
    "administrators",
    "tokens",
    "agencies",
    "customers",
    "customers/CUSTOMER",
    "customers/CUSTOMER/users",
    "customers/CUSTOMER/invoices",
    "customers/CUSTOMER/extensions",
    "customers/CUSTOMER/webhooks",
    "domains",
    "audit",
    "audit/trails",
    "audit/verify",
)
"""What administrators look at."""


def rights(user: str) -> set[str]:
    """The commands that a user may run."""
    (line,) = re.findall(rf"^user {user} (.*)$", (FILES / "users.acl").read_text(), re.MULTILINE)
    return set(re.findall(r"\+(\S+)", line))


def test_seatd_may_do_what_its_sources_do_and_nothing_else() -> None:
    said: set[str] = set()
    for file in SOURCES.rglob("*.lua"):
        said |= {name.lower() for name in IN_SCRIPTS.findall(file.read_text())}
    for file in SOURCES.glob("*.py"):
        for command, sub in IN_PYTHON.findall(file.read_text().replace("command(\n", "command(")):
            both = command in ("SCRIPT", "CLUSTER")
            said.add(f"{command}|{sub}".lower() if both else command.lower())
    said |= {"evalsha", "eval", "zrangebylex", "hscan"}
    assert rights("seatd") - CONNECTING == said - OTHER_WORDS - CONNECTING


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """One that runs."""
    made = Engine(tmp_path / "engine")
    with made.running():
        yield made


async def test_a_server_works_with_the_rights_that_it_has(engine: Engine) -> None:
    with Servers() as servers:
        node = servers.start("a", store=engine.url())
        company = Company(node)
        await company.licensed("CALL_CENTER:competitive:2")
        ann, bob = [await company.sign_in(node, name, "CALL_CENTER", acks=True) for name in ("ann", "bob")]
        assert isinstance(ann.first, Welcome)
        assert await ann.bye() == 1000
        receipts = await node.call("POST", "/api/v1/logout", {"users": [company.user("bob")]})
        assert "acknowledged" in str(receipts)
        assert isinstance(await bob.recv(), Logout)
        for page in PAGES:
            await node.call("GET", f"/api/v1/{page}".replace("CUSTOMER", company.name))
        report = await node.call("GET", "/api/v1/checks")
        assert {c["name"]: c["level"] for c in report["items"]}["store"] == "ok"
        company.leave()
    with engine.client("operator") as client:
        refused = {(entry["username"], entry["object"]) for entry in client.acl_log()}
    assert refused <= {("seatd", "config|get")}  # a node asks, and does without


@pytest.mark.parametrize(
    "words",
    ["FLUSHALL", "KEYS *", "SCAN 0", "CONFIG GET *", "CONFIG SET appendonly no", "ACL LIST", "SHUTDOWN",
     "REPLICAOF NO ONE", "MONITOR", "CLIENT LIST", "SCRIPT FLUSH", "MODULE LIST", "GET other", "SET other 1",
     "PUBLISH other 1"],
)  # fmt: skip
def test_what_seatd_may_not(engine: Engine, words: str) -> None:
    with engine.client("seatd") as client, pytest.raises(NoPermissionError):
        client.execute_command(*words.split())


def test_nor_by_a_script(engine: Engine) -> None:
    with engine.client("seatd") as client:
        for call in ("'FLUSHALL'", "'SET', 'other', 1", "'KEYS', '*'"):
            with pytest.raises(ResponseError, match=r"(?i)permission|acl failure"):
                client.eval(f"return redis.call({call})", 0)


def test_nobody_comes_in_without_a_password(engine: Engine) -> None:
    for url in (f"redis://127.0.0.1:{engine.port}", f"redis://seatd:wrong@127.0.0.1:{engine.port}"):
        with Redis.from_url(url) as client, pytest.raises(AuthenticationError):
            client.ping()


def test_the_others_may_only_what_they_are_for(engine: Engine) -> None:
    for user in ("backup", "monitor", "replica", "sentinel"):
        with engine.client(user) as client, pytest.raises(NoPermissionError):
            client.get("seatd:deployment")
    with engine.client("monitor") as client:
        assert client.info("memory")["maxmemory_policy"] == "noeviction"


async def test_a_password_is_changed_while_a_node_runs(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Servers() as servers:
        node = servers.start("a", store=engine.url())
        folder, old = engine.folder, engine.url()
        (folder / "seatd.password").rename(folder / "seatd.password.old")
        engine.make_users()
        assert engine.url() != old
        acl_load(engine)
        with Redis.from_url(old) as before, engine.client("seatd") as after:
            assert before.ping()
            assert after.ping()
        await node.call("GET", "/api/v1/licenses")
        newer = servers.start("b", store=engine.url())
        assert node.stop() == 0
        (folder / "seatd.password.old").unlink()
        engine.make_users()
        acl_load(engine)
        with Redis.from_url(old) as before, pytest.raises(AuthenticationError):
            before.ping()
        await newer.call("GET", "/api/v1/licenses")


def acl_load(engine: Engine) -> None:
    with engine.client("operator") as client:
        assert client.acl_load()


async def test_a_backup_is_restored(tmp_path: Path) -> None:
    """What was there when it was made is there again on an engine that had nothing."""
    cli = program("redis-cli", "redis-tools")
    first, second = Engine(tmp_path / "first"), Engine(tmp_path / "second")
    file = tmp_path / "seatd.rdb"
    with Servers() as servers:
        with first.running():
            node = servers.start("a", store=first.url())
            company = Company(node)
            (license_,) = await company.licensed("CALL_CENTER:competitive:2")
            checked(cli, "-u", first.url("backup"), "--rdb", file)
            assert node.stop() == 0
        (second.folder / "dump.rdb").write_bytes(file.read_bytes())
        # An engine that has its append-only file on reads no other.
        with second.running(changes={"appendonly yes": "appendonly no"}), second.client("operator") as client:
            client.config_set("appendonly", "yes")
            until(lambda: client.info("persistence")["aof_rewrite_in_progress"] == 0, "it is not written")
            until(lambda: client.info("persistence")["aof_last_bgrewrite_status"] == "ok", "it failed")
        with second.running():
            node = servers.start("b", store=second.url())
            rows = await node.call("GET", "/api/v1/licenses")
            assert [row["id"] for row in rows["items"]] == [license_]
            assert node.stop() == 0


async def test_replicas_and_sentinels_have_the_rights_that_they_need(tmp_path: Path) -> None:
    """A primary and a replica with the same users: the replica follows, a sentinel replaces the primary, seatd finds it."""
    primary, replica = Engine(tmp_path / "primary"), Engine(tmp_path / "replica")
    for file in (*primary.folder.glob("*.password"), primary.folder / "users.acl"):
        (replica.folder / file.name).write_text(file.read_text())
    login = {
        "# masteruser replica": "masteruser replica",
        "# masterauth REPLICA-PASSWORD": f"masterauth {primary.password('replica')}",
    }
    watcher = Engine(tmp_path / "sentinel")
    text = rewritten(
        FILES / "sentinel.conf",
        {
            "port 26379": f"port {watcher.port}",
            "127.0.0.1 6379 2": f"127.0.0.1 {primary.port} 1",
            "SENTINEL-PASSWORD": primary.password("sentinel"),
            "seatd 3000": "seatd 500",
        },
    )
    conf = watcher.folder / "sentinel.conf"
    conf.write_text(f"{text}\ndir {watcher.folder}\n")
    follows = f"replicaof 127.0.0.1 {primary.port}\nrepl-diskless-sync-delay 0"
    with (
        Redis(port=watcher.port, decode_responses=True) as asked,
        replica.client("monitor") as looked_at,
        Servers() as servers,
        replica.running(more=follows, changes=login),
        primary.running(more="repl-diskless-sync-delay 0", changes=login),
        running(
            [engine_of_tests().path, conf, "--sentinel"], watcher.folder / "log", lambda: is_there(asked)
        ),
    ):
        until(lambda: int(asked.sentinel_master("seatd")["num-slaves"]) == 1, "it does not find the replica")
        until(
            lambda: looked_at.info("replication")["master_link_status"] == "up",
            "it does not follow",
        )
        url = f"redis+sentinel://seatd:{primary.password('seatd')}@127.0.0.1:{watcher.port}/seatd"
        node = servers.start("a", store=url, STORE_RECOVERY="39s", STORE_OLD_PRIMARY="1s")
        company = Company(node)
        await company.licensed("CALL_CENTER:competitive:2")
        with primary.client("operator") as client, pytest.raises(ConnectionError):
            client.shutdown(nosave=True, now=True, force=True)
            raise ConnectionError
        until(
            lambda: looked_at.info("replication")["role"] == "master",
            "nobody is promoted",
        )
        await eventually(lambda: has_rows(company))
        assert node.stop() == 0


def is_there(sentinel: Redis) -> bool:
    try:
        return bool(sentinel.ping())
    except RedisError:
        return False


async def has_rows(company: Company) -> bool:
    try:
        return len(await company.rows()) == 1
    except AssertionError:  # the store is not back yet
        return False


def test_both_files_say_why() -> None:
    """Every group of settings begins with its reason."""
    for name in ("valkey.conf", "sentinel.conf"):
        blocks = (FILES / name).read_text().split("\n\n")
        for block in blocks[1:]:
            assert block.lstrip().startswith("#"), block


def test_the_engine_may_read_its_users_after_a_change_too(tmp_path: Path) -> None:
    """It runs as a user of its own, to whom an operator has given the file."""
    make = [FILES / "make-users.sh", tmp_path]
    subprocess.run(make, check=True)
    users = tmp_path / "users.acl"
    users.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(users, 0, 12345)
    given = users.stat().st_gid
    (tmp_path / "seatd.password").unlink()
    before = users.read_text()
    subprocess.run(make, check=True)
    assert users.read_text() != before
    assert (users.stat().st_mode & 0o777, users.stat().st_gid) == (0o640, given)


def test_make_users_wants_a_folder() -> None:
    assert subprocess.run([FILES / "make-users.sh"], capture_output=True).returncode == 2
