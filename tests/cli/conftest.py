"""The command line as a person has it: an empty folder, an environment without settings."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from seatd.cli.main import cli
from tests.cli.contract_server import TOKEN, ContractServer, contract_server

Seatd = Callable[..., Result]


@pytest.fixture(autouse=True)
def _clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("SEATD_"):
            monkeypatch.delenv(name)


@pytest.fixture
def seatd() -> Seatd:
    """Runs `seatd` with these words and standard input. A traceback fails the test."""

    def run(*words: str | Path, stdin: str | bytes | None = None) -> Result:
        result = CliRunner().invoke(
            cli, [str(word) for word in words], input=stdin, prog_name="seatd", catch_exceptions=False
        )
        assert "Traceback" not in result.output
        return result

    return run


@pytest.fixture
def server() -> Iterator[ContractServer]:
    with contract_server() as running:
        yield running


@pytest.fixture
def signed_in(server: ContractServer, monkeypatch: pytest.MonkeyPatch) -> ContractServer:
    """The server, with its address and a good token in the environment."""
    monkeypatch.setenv("SEATD_URL", server.url)
    monkeypatch.setenv("SEATD_TOKEN", TOKEN)
    return server


@pytest.fixture
def vendor(seatd: Seatd) -> Path:
    """A folder's vendor.key; its public half is in vendor.pem."""
    made = seatd("keys", "new", "--out", "vendor.key")
    Path("vendor.pem").write_text(made.stdout)
    return Path("vendor.key")
