"""The data folder of a server on this machine: where it listens, and the tokens and secrets it keeps there.

DATA/seatd.json            while it runs: {clients, admin, node, pid, store}
DATA/admin.token           an operator's API token (mode 0600)
DATA/demo/vendor.key       the demo vendor's signing key (mode 0600) and
DATA/demo/vendor.pem       its public key
DATA/demo/client.secret    the secret that demo clients' tokens are signed with (mode 0600)
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec


class Running(msgspec.Struct, frozen=True):
    """What a server says about itself in its data folder. Addresses are `host:port`, or URLs."""

    clients: str
    admin: str
    node: str = ""
    pid: int = 0
    store: str = ""


def running(data: Path) -> Running | None:
    """The server that runs, or last ran, with this data folder."""
    try:
        return msgspec.json.decode((data / "seatd.json").read_bytes(), type=Running)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def is_alive(pid: int) -> bool:
    """Whether a process of this number runs on this machine, whoever it belongs to."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def admin_token(data: Path) -> str | None:
    """The operator's API token of this data folder, if this user may read it."""
    try:
        return (data / "admin.token").read_text("utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def reachable_url(address: str, scheme: str) -> str:
    """A URL for a listening address: one that listens on every interface is reached on the loopback."""
    if "://" in address:
        return address.rstrip("/")
    host, _, port = address.rpartition(":")
    host = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]", "": "127.0.0.1"}.get(host, host)  # noqa: S104 -- compared, not bound
    return f"{scheme}://{host}:{port}"


def write_private(path: Path, content: bytes) -> None:
    """A new file that only its owner can read. Raises FileExistsError rather than overwrite."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
