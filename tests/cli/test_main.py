"""The command as a whole: as a process, what it imports, its help and its settings."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest

from seatd import __version__
from seatd.cli.main import cli
from tests.cli.conftest import Seatd
from tests.cli.process import process


def test_the_vendor_verbs_in_real_processes() -> None:
    made = process("keys", "new", "--out", "vendor.key")
    assert made.returncode == 0
    Path("vendor.pem").write_text(made.stdout)
    issued = process(
        "license", "issue", "--key", "vendor.key", "--customer", "acme", "--domain", "acme.example", "--license",
        "CALL_CENTER:competitive:25", "--license", "EMAIL:nominal:10", "--days", "365",
    )  # fmt: skip
    assert (issued.returncode, issued.stderr) == (0, "")
    Path("acme.license").write_text(issued.stdout)
    shown = process("license", "show", "acme.license", "--trust", "vendor.pem", "--json")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert [row["product"] for row in json.loads(shown.stdout)["licenses"]] == ["CALL_CENTER", "EMAIL"]
    refused = process("license", "show", "vendor.pem")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "Traceback" not in refused.stderr


def test_vendor_verbs_load_nothing_of_the_server() -> None:
    code = (
        "import sys; from seatd.cli.main import cli; cli(standalone_mode=False); "
        "print(sorted({'aiohttp', 'redis', 'uvloop', 'seatd.app', 'seatd.store', 'seatd.web'} & set(sys.modules)))"
    )
    done = process("keys", "new", "--out", "vendor.key", code=code)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


def test_python_m_seatd_is_the_same(seatd: Seatd) -> None:
    done = process("--version")
    assert (done.returncode, done.stdout) == (0, f"seatd {__version__}\n")
    assert process("--version", code="from seatd.cli.main import main; main()").stdout == done.stdout
    assert seatd("--version").stdout == done.stdout


def verbs(command: click.Command, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = [path]
    if isinstance(command, click.Group):
        for name, sub in command.commands.items():
            found += verbs(sub, (*path, name))
    return found


ALL = verbs(cli)


def test_the_verbs_are_those_of_the_contract() -> None:
    assert {" ".join(path) for path in ALL} >= {
        "serve", "demo", "demo prepare", "status", "keys new", "keys public", "config show", "config check",
        "license issue", "license show", "license import", "license list", "license users", "license assign",
        "license unassign", "license withdraw", "logout", "session list", "token client", "doctor",
    }  # fmt: skip


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_verb_and_option_explains_itself(seatd: Seatd, path: tuple[str, ...]) -> None:
    shown = seatd(*path, "--help")
    assert shown.exit_code == 0
    command: click.Command = cli
    for name in path:
        assert isinstance(command, click.Group)
        command = command.commands[name]
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name


def test_unknown_verbs_are_a_wrong_command_line(seatd: Seatd) -> None:
    done = seatd("licence")
    assert done.exit_code == 2
    assert "Error: No such command 'licence'" in done.stderr


def test_config_show_says_where_values_come_from(seatd: Seatd, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("seatd.toml").write_text('[admin]\nlisten = "127.0.0.1:1"\n[clients]\nlisten = "127.0.0.1:2"\n')
    Path("a.pem").touch()
    monkeypatch.setenv("SEATD_CLIENTS_LISTEN", "127.0.0.1:3")
    monkeypatch.setenv("SEATD_TOKENS_HS256_SECRET", "a secret of the right length, at least")
    shown = seatd(
        "config", "show", "--json", "--config", "seatd.toml", "--node", "n1", "--trust", "a.pem", "b.pem", "--trust",
        "c.pem", "--log-level", "debug",
    )  # fmt: skip
    assert shown.exit_code == 0, shown.stderr
    rows = {row["name"]: (row["value"], row["source"]) for row in json.loads(shown.stdout)}
    assert rows["admin.listen"] == ("127.0.0.1:1", "seatd.toml: [admin] listen")
    assert rows["clients.listen"] == ("127.0.0.1:3", "SEATD_CLIENTS_LISTEN")
    assert rows["node.name"] == ("n1", "--node")
    assert rows["licenses.trust"][0] == "a.pem,c.pem,b.pem"
    assert rows["log.level"][0] == "debug"
    assert "right length" not in shown.output
    assert "admin.listen" in seatd("config", "show").stdout


@pytest.mark.parametrize("verb", [("config", "check"), ("config", "show"), ("serve",)])
def test_a_bad_configuration_is_refused_with_every_reason(seatd: Seatd, verb: tuple[str, ...]) -> None:
    Path("seatd.toml").write_text("[nonsense]\n")
    done = seatd(*verb, "--config", "seatd.toml", "--clients", "nowhere")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: The configuration cannot be used.\n")
    assert "[nonsense]" in done.stderr
    assert "--clients" in done.stderr


def test_a_good_configuration(seatd: Seatd) -> None:
    done = seatd("config", "check", "--node", "n1")
    assert (done.exit_code, done.stdout) == (0, "")
    assert (
        done.stderr
        == "The configuration is good; 1 of its settings are given, the others have their defaults.\n"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--config", "no.toml"), "Invalid value for '--config': File 'no.toml' does not exist."),
        (("extra",), "Got unexpected extra argument (extra)"),
        (("--colour", "blue"), "Error: No such option"),
    ],
)
def test_serve_wrongly_said(seatd: Seatd, words: tuple[str, ...], message: str) -> None:
    done = seatd("serve", *words)
    assert done.exit_code == 2
    assert message in done.stderr
