"""`seatd keys`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Seatd


def test_new_prints_only_the_public_key(seatd: Seatd) -> None:
    made = seatd("keys", "new", "--out", "vendor.key")
    assert made.exit_code == 0
    assert made.stdout.startswith("-----BEGIN PUBLIC KEY-----\n")
    assert made.stdout.endswith("-----END PUBLIC KEY-----\n")
    assert "PRIVATE" not in made.output
    assert made.stderr.startswith("Private key written to vendor.key; its key id is ")
    private = Path("vendor.key")
    assert private.stat().st_mode & 0o777 == 0o600
    assert "BEGIN PRIVATE KEY" in private.read_text()
    assert seatd("keys", "public", "--key", private).stdout == made.stdout


def test_a_key_is_never_overwritten(seatd: Seatd, vendor: Path) -> None:
    before = vendor.read_bytes()
    again = seatd("keys", "new", "--out", vendor)
    assert (again.exit_code, again.stdout) == (1, "")
    assert again.stderr == "Error: vendor.key exists already; a signing key is never overwritten.\n"
    assert vendor.read_bytes() == before


def test_a_folder_that_is_not_there(seatd: Seatd) -> None:
    made = seatd("keys", "new", "--out", "no/vendor.key")
    assert (made.exit_code, made.stdout) == (1, "")
    assert made.stderr == "Error: no/vendor.key cannot be written: No such file or directory.\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("nonsense", "vendor.key: not a private key in PEM (-----BEGIN PRIVATE KEY-----)."),
        ("", "vendor.key: not a private key in PEM (-----BEGIN PRIVATE KEY-----)."),
    ],
)
def test_what_is_no_private_key(seatd: Seatd, content: str, message: str) -> None:
    Path("vendor.key").write_text(content)
    shown = seatd("keys", "public", "--key", "vendor.key")
    assert (shown.exit_code, shown.stdout, shown.stderr) == (1, "", f"Error: {message}\n")


def test_a_key_file_that_is_not_there_is_a_wrong_command_line(seatd: Seatd) -> None:
    shown = seatd("keys", "public", "--key", "vendor.key")
    assert shown.exit_code == 2
    assert "Invalid value for '--key': File 'vendor.key' does not exist." in shown.stderr
