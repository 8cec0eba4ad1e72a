"""Settings: where they come from, which one wins, what is refused, and that each is documented."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from seatd.config import FLAGS, ConfigError, Settings, describe, load, variable
from seatd.config_rules import HS256_MIN_BYTES
from seatd.hub import token_keys
from seatd.notation import MASK, Address, Seconds, duration

DOCUMENT = (Path(__file__).parent.parent / "docs" / "configuration.md").read_text()
SECRET = "0123456789abcdef0123456789abcdef"
SHORT_TIMES = {
    "SEATD_NODE_LEASE": "2s",
    "SEATD_NODE_RENEW": "500ms",
    "SEATD_SESSIONS_BEAT": "1s",
    "SEATD_SESSIONS_LEASE": "3s",
    "SEATD_SESSIONS_LINGER": "8s",
}


def faults(environ: Mapping[str, str] = {}, *, file: Path | None = None, **flags: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as refused:
        load(file, environ, flags)
    return refused.value.errors


def written(folder: Path, text: str) -> Path:
    path = folder / "seatd.toml"
    path.write_text(text)
    return path


def test_defaults_can_be_used_as_they_are():
    settings = load(None, {}, {})
    assert settings.clients.listen == Address("0.0.0.0", 8470)
    assert settings.admin.listen == Address("127.0.0.1", 8471)
    assert (settings.node.lease_s, settings.node.renew_s) == (10, 2.5)
    assert (settings.sessions.beat_s, settings.sessions.lease_s, settings.sessions.linger_s) == (8, 24, 30)
    assert (settings.store.url, settings.store.data) == (None, Path("seatd-data"))
    assert settings.sources == {}


def test_each_node_gets_a_name_of_its_own():
    assert load(None, {}, {}).node.name != load(None, {}, {}).node.name


def test_a_flag_wins_over_the_environment_and_that_over_the_file(tmp_path):
    file = written(
        tmp_path, '[clients]\nlisten = "1.1.1.1:1"\n[admin]\nlisten = "1.1.1.1:2"\n[node]\nname = "f"'
    )
    environ = {"SEATD_CLIENTS_LISTEN": "2.2.2.2:1", "SEATD_ADMIN_LISTEN": "2.2.2.2:2"}
    settings = load(file, environ, {"clients": "3.3.3.3:1"})
    assert str(settings.clients.listen) == "3.3.3.3:1"
    assert str(settings.admin.listen) == "2.2.2.2:2"
    assert settings.node.name == "f"
    assert settings.sources == {
        "clients.listen": "--clients",
        "admin.listen": "SEATD_ADMIN_LISTEN",
        "node.name": f"{file}: [node] name",
    }


def test_short_times_are_possible():
    environ = SHORT_TIMES | {"SEATD_STORE_RECOVERY": "20s", "SEATD_SESSIONS_TOMBSTONE": "28s"}
    settings = load(None, environ, {})
    assert (settings.node.renew_s, settings.sessions.linger_s) == (0.5, 8)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("25s", 25), ("2.5s", 2.5), ("15m", 900), ("500ms", 0.5), ("24h", 86400), ("7d", 604800), ("0s", 0)],
)
def test_durations_carry_their_unit_and_are_shown_in_it(text, seconds):
    settings = load(None, {"SEATD_SESSIONS_STORE_GRACE": text}, {})
    assert settings.sessions.store_grace_s == seconds
    assert duration(Seconds(seconds)) == {"24h": "1d"}.get(text, text)


@pytest.mark.parametrize("text", ["25", "s", "-1s", "1e3s", "1 s", "25sec", "١s", "nan", ""])
def test_other_durations_are_refused(text):
    assert faults({"SEATD_NODE_RENEW": text}) == (
        "SEATD_NODE_RENEW: must be a duration with its unit, such as 25s, 2.5s, 15m or 500ms",
    )


@pytest.mark.parametrize("text", ["127.0.0.1:0", "[::1]:0", "localhost:65535", "my-host.example:8470"])
def test_addresses(text):
    assert str(load(None, {}, {"clients": text}).clients.listen) == text


@pytest.mark.parametrize(
    "text", ["8470", ":8470", "host", "host:", "host:65536", "::1:80", "[::1]", "[x]:1", "a b:1", "h:-1"]
)
def test_other_addresses_are_refused(text):
    (fault,) = faults(clients=text)
    assert fault.startswith("--clients: must be HOST:PORT")


def test_lists_switches_and_numbers_from_text_and_from_toml(tmp_path):
    file = written(
        tmp_path,
        '[licenses]\ntrust = ["a.pem", "b.pem"]\n[sessions]\nstrict = true\nmessages_per_s = 5\n[tokens]\nkeys = []\n',
    )
    for settings in (
        load(file, {}, {}),
        load(
            None,
            {
                "SEATD_LICENSES_TRUST": "a.pem, b.pem",
                "SEATD_SESSIONS_STRICT": "yes",
                "SEATD_SESSIONS_MESSAGES_PER_S": "5",
                "SEATD_TOKENS_KEYS": "",
            },
            {},
        ),
        load(
            None,
            {"SEATD_SESSIONS_STRICT": "1", "SEATD_SESSIONS_MESSAGES_PER_S": "5.0"},
            {"trust": ["a.pem", "b.pem"]},
        ),
    ):
        assert settings.licenses.trust == (Path("a.pem"), Path("b.pem"))
        assert settings.sessions.strict is True
        assert settings.sessions.messages_per_s == 5.0
        assert settings.tokens.keys == ()


def test_an_empty_variable_takes_back_what_may_be_absent(tmp_path):
    file = written(tmp_path, '[store]\nurl = "redis://store:6379"\n')
    assert load(file, {"SEATD_STORE_URL": ""}, {}).store.url is None


@pytest.mark.parametrize(
    ("variable_name", "text"),
    [
        ("SEATD_CLIENTS_MAX_SESSIONS", "many"),
        ("SEATD_CLIENTS_MAX_SESSIONS", "1.5"),
        ("SEATD_CLIENTS_MAX_SESSIONS", "0"),
        ("SEATD_STORE_PARTITIONS", "5000"),
        ("SEATD_SESSIONS_STRICT", "maybe"),
        ("SEATD_SESSIONS_OUTBOX_BYTES", "100"),
        ("SEATD_SESSIONS_MESSAGES_PER_S", "0"),
        ("SEATD_NODE_NAME", "a b"),
        ("SEATD_NODE_NAME", "a\nb"),
        ("SEATD_NODE_WORKERS", "0"),
        ("SEATD_NODE_WORKERS", "-1"),
        ("SEATD_NODE_WORKERS", "65"),
        ("SEATD_NODE_WORKERS", "two"),
        ("SEATD_NODE_LEASE", "0s"),
        ("SEATD_CLIENTS_HELLO_TIMEOUT", "0s"),
        ("SEATD_LOG_LEVEL", "loud"),
        ("SEATD_STORE_DURABILITY", "no"),
        ("SEATD_STORE_URL", "http://store"),
        ("SEATD_STORE_URL", "redis://"),
        ("SEATD_STORE_URL", "redis+sentinel://h:26379"),
        ("SEATD_STORE_URL", "redis+sentinel://h:26379,/primary"),
        ("SEATD_STORE_URL", "redis+cluster://"),
        ("SEATD_STORE_URL", "redis+cluster://h:1/0"),
        ("SEATD_STORE_URL", "redis://[::1"),
        ("SEATD_TOKENS_JWKS_URL", "ftp://keys"),
        ("SEATD_CLIENTS_ALLOWED_ORIGINS", "example.org"),
        ("SEATD_CLIENTS_ALLOWED_ORIGINS", "https://example.org/path"),
        ("SEATD_CLIENTS_TLS_CERT", "only.pem"),
        ("SEATD_SESSIONS_TOMBSTONE", "1m"),
    ],
)
def test_values_that_cannot_be_used_are_told_with_their_place(variable_name, text):
    found = faults({variable_name: text})
    assert found
    assert all(variable_name in fault for fault in found)


@pytest.mark.parametrize(
    "url",
    [
        "unix:///run/seatd/store.sock",
        "redis://:secret@store:6379/0",
        "rediss://store",
        "redis+sentinel://a:26379,b:26379/primary",
        "redis+sentinel://user:p@ss/word@a,b/primary",
        "redis+cluster://a:6379,b:6379",
    ],
)
def test_store_urls(url):
    assert load(None, {"SEATD_STORE_URL": url}, {}).store.url == url


@pytest.mark.parametrize(
    ("environ", "setting"),
    [
        ({"SEATD_SESSIONS_LINGER": "28.9s"}, "sessions.linger"),
        (SHORT_TIMES | {"SEATD_SESSIONS_LINGER": "7.9s"}, "sessions.linger"),
        ({"SEATD_NODE_RENEW": "2.6s"}, "node.lease"),
        ({"SEATD_SESSIONS_BEAT": "12s"}, "sessions.lease"),
        ({"SEATD_STORE_RECOVERY": "48.9s"}, "store.recovery"),
        ({"SEATD_STORE_OLD_PRIMARY": "12.1s"}, "store.recovery"),
        (
            {"SEATD_NODE_LEASE": "1s", "SEATD_NODE_RENEW": "100ms", "SEATD_SESSIONS_BEAT": "11.9s"},
            "node.lease + sessions.linger",
        ),
    ],
)
def test_times_that_would_give_a_seat_to_two_are_refused(environ, setting):
    (fault,) = faults(environ)
    assert fault.startswith(setting + " (")


@pytest.mark.parametrize(
    "environ",
    [
        {"SEATD_SESSIONS_LINGER": "29s"},
        {"SEATD_STORE_RECOVERY": "49s"},
        {"SEATD_NODE_LEASE": "2.4s", "SEATD_NODE_RENEW": "600ms"},
    ],
)
def test_times_at_the_very_bound_are_good(environ):
    load(None, environ, {})


def test_all_faults_are_told_at_once(tmp_path):
    file = written(
        tmp_path, "[clients]\nlisten = 8470\nlisen = 1\n[client]\n[node]\nlease = 10\n[tokens.x]\ny = 1\n"
    )
    found = faults({"SEATD_SESSIONS_LINGER": "1s", "SEATD_NODE_NAM": "x"}, file=file, admin="nowhere")
    assert len(found) == 8
    for part in (
        "[clients] listen: must be HOST:PORT",
        "[clients] lisen: there is no such setting; did you mean clients.listen (SEATD_CLIENTS_LISTEN)?",
        "[client]: there is no such section; did you mean clients?",
        "[node] lease: must be a duration",
        "[tokens] x: there is no such setting",
        "SEATD_NODE_NAM: there is no such setting; did you mean node.name (SEATD_NODE_NAME)?",
        "--admin: must be HOST:PORT",
        "sessions.linger (1s): must be at least 29s",
    ):
        assert any(part in fault for fault in found), part


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    assert faults(file=tmp_path / "none.toml") == (
        f"{tmp_path}/none.toml: cannot be read: No such file or directory",
    )
    (fault,) = faults(file=written(tmp_path, "[clients\n"))
    assert "line 1" in fault
    (fault,) = faults(file=written(tmp_path, 'clients = "x"\n'))
    assert "must be a section" in fault
    file = tmp_path / "seatd.toml"
    file.write_bytes(b"\xff")
    assert faults(file=file)


@pytest.mark.parametrize(
    ("name", "value", "good"),
    [
        ("PUBLIC_URL", "https://seatd.example", True),
        ("PUBLIC_URL", "https://seatd.example:8443/", True),
        ("PUBLIC_URL", "seatd.example", False),
        ("PUBLIC_URL", "https://seatd.example/console", False),
        ("PUBLIC_URL", "https://user@seatd.example", False),
        ("PROXIES", "10.0.0.5,10.0.1.0/24,::1", True),
        ("PROXIES", "10.0.0.5/24", False),
        ("PROXIES", "proxy.example", False),
        ("IDLE", "0s", False),
    ],
)
def test_what_stands_before_the_console(name, value, good):
    if good:
        load(None, {f"SEATD_ADMIN_{name}": value}, {})
    else:
        (fault,) = faults({f"SEATD_ADMIN_{name}": value})
        assert fault.startswith(f"admin.{name.lower()}: ")


def test_two_listeners_need_two_ports():
    assert "give each its own port" in faults(clients="localhost:1", admin="localhost:1")[0]
    load(None, {}, {"clients": "localhost:0", "admin": "localhost:0"})


def test_the_name_of_a_worker_is_a_name_too():
    environ = {"SEATD_NODE_NAME": "n" * 62, "SEATD_NODE_WORKERS": "9"}
    assert load(None, environ, {}).node.workers == 9
    (fault,) = faults(environ, workers="10")
    assert fault.startswith("node.name: must be 1 to 64 letters")
    assert "SEATD_NODE_NAME, --workers" in fault
    load(None, {"SEATD_NODE_NAME": "n" * 64}, {})


def test_secrets_come_from_files_too(tmp_path):
    (tmp_path / "secret").write_text(SECRET + "\n")
    (tmp_path / "url").write_text("redis://:pw@store\n")
    file = written(tmp_path, f'[store]\nurl_file = "{tmp_path}/url"\n')
    settings = load(file, {"SEATD_TOKENS_HS256_SECRET_FILE": f"{tmp_path}/secret"}, {})
    assert settings.tokens.hs256_secret == SECRET
    assert settings.store.url == "redis://:pw@store"
    assert settings.sources["tokens.hs256_secret"] == "SEATD_TOKENS_HS256_SECRET_FILE"


def test_a_secret_in_two_places_or_in_none_is_a_fault(tmp_path):
    (tmp_path / "secret").write_text(" \n")
    both = {"SEATD_TOKENS_HS256_SECRET": SECRET, "SEATD_TOKENS_HS256_SECRET_FILE": f"{tmp_path}/secret"}
    assert "keep one of them" in faults(both)[0]
    assert faults({"SEATD_TOKENS_HS256_SECRET_FILE": f"{tmp_path}/secret"}) == (
        "SEATD_TOKENS_HS256_SECRET_FILE: the file is empty",
    )
    assert faults({"SEATD_STORE_URL_FILE": f"{tmp_path}/none"}) == (
        "SEATD_STORE_URL_FILE: the file cannot be read: No such file or directory",
    )
    assert faults({"SEATD_NODE_NAME_FILE": f"{tmp_path}/secret"})  # only secrets have a file of their own


def test_a_short_shared_secret_is_refused_and_not_repeated():
    (fault,) = faults({"SEATD_TOKENS_HS256_SECRET": SECRET[1:]})
    assert "at least 32 bytes" in fault
    assert SECRET[1:] not in fault
    assert HS256_MIN_BYTES == token_keys.HS256_MIN_BYTES


def test_nothing_shows_a_secret():
    environ = {
        "SEATD_TOKENS_HS256_SECRET": SECRET,
        "SEATD_STORE_URL": "rediss://user:p@ss/word@store:6379/0",
        "SEATD_TOKENS_JWKS_URL": "https://keys.example/jwks",
    }
    settings = load(None, environ, {})
    rows = {row.name: row for row in describe(settings)}
    assert rows["tokens.hs256_secret"][1:] == (MASK, "SEATD_TOKENS_HS256_SECRET")
    assert rows["store.url"].value == f"rediss://user:{MASK}@store:6379/0"
    assert rows["tokens.jwks_url"].value == "https://keys.example/jwks"
    for text in (repr(settings), str(settings), repr(rows)):
        assert SECRET not in text
        assert "ss/word" not in text


def test_describe_shows_every_setting_in_its_own_notation():
    rows = {row.name: row for row in describe(load(None, {"SEATD_NODE_RENEW": "2s"}, {"trust": ["a", "b"]}))}
    assert rows["node.renew"] == ("node.renew", "2s", "SEATD_NODE_RENEW")
    assert rows["licenses.trust"] == ("licenses.trust", "a,b", "--trust")
    assert rows["sessions.strict"] == ("sessions.strict", "false", "default")
    assert rows["store.url"].value == ""


def test_variables_of_others_are_left_alone():
    load(
        None,
        {
            "SEATD_STORE_BIN": "/usr/bin/redis-server",
            "SEATD_URL": "http://127.0.0.1:8471",
            "SEATD_TOKEN": "x",
            "SEATD_PROJECT": "x",
            "SEATD_ADMIN_SERVICE_HOST": "10.0.0.1",
            "SEATD_CLIENTS_SERVICE_PORT_WS": "8470",
            "SEATD_ADMIN_PORT": "tcp://10.0.0.1:8471",
            "SEATD_ADMIN_PORT_8471_TCP_ADDR": "10.0.0.1",
            "HOME": "/",
        },
        {},
    )


def test_flags_name_settings():
    names = {row.name for row in describe(Settings())}
    assert set(FLAGS.values()) <= names


@pytest.mark.parametrize("row", describe(Settings()), ids=lambda row: row.name)
def test_every_setting_is_documented(row):
    section, _, key = row.name.partition(".")
    (chapter,) = re.findall(rf"^### \[{section}\].*?(?=^##|\Z)", DOCUMENT, re.MULTILINE | re.DOTALL)
    (line,) = re.findall(rf"^\| `{key}` \|.*$", chapter, re.MULTILINE)
    _, _, env, flag, default, meaning, _ = (cell.strip() for cell in re.split(r"(?<!\\)\|", line))
    assert env == f"`{variable(row.name)}`"
    assert flag == "".join(f"`--{name}`" for name, setting in FLAGS.items() if setting == row.name)
    assert default in (f"`{row.value}`", "none" if not row.value else "the host's name and a random suffix")
    assert len(meaning) > 10


def test_nothing_is_documented_that_cannot_be_set():
    documented = re.findall(r"^\| `\w+` \| `(SEATD_\w+)`", DOCUMENT, re.MULTILINE)
    assert documented == [variable(row.name) for row in describe(Settings())]
