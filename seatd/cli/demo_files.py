"""What a data folder needs for demonstrations: a vendor of its own, and a secret for its clients' tokens."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import NamedTuple

from seatd.cli.local import write_private
from seatd.licensing.keys import load_private_key, new_private_key, private_pem, public_pem


class DemoFiles(NamedTuple):
    """The files in `DATA/demo`."""

    folder: Path

    @property
    def signing(self) -> Path:
        """The demo vendor's private key."""
        return self.folder / "vendor.key"

    @property
    def trusted(self) -> Path:
        """The demo vendor's public key."""
        return self.folder / "vendor.pem"

    @property
    def secret(self) -> Path:
        """The secret that demo clients' tokens are signed with."""
        return self.folder / "client.secret"

    def complete(self) -> bool:
        """Whether all of them can be read."""
        return all(os.access(path, os.R_OK) for path in (self.signing, self.trusted, self.secret))


def demo_files(data: Path) -> DemoFiles:
    """Where the files are, or would be."""
    return DemoFiles(data / "demo")


def prepare(data: Path) -> DemoFiles:
    """Makes what is missing and keeps what is there. Raises OSError or BadSigningKey."""
    files = demo_files(data)
    files.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with contextlib.suppress(FileExistsError):
        write_private(files.signing, private_pem(new_private_key()))
    with contextlib.suppress(FileExistsError):
        write_private(files.secret, secrets.token_urlsafe(48).encode("ascii") + b"\n")
    # Always from the private key: the two fit, also when somebody took one of them away.
    files.trusted.write_bytes(public_pem(load_private_key(files.signing.read_bytes()).public_key()))
    return files
