"""`seatd keys`: the vendor's signing keys. Works without a server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from seatd.cli.failures import Refused
from seatd.cli.local import write_private
from seatd.cli.output import say

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KEY_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("keys")
def keys_group() -> None:
    """Vendor signing keys: make one, show its public half."""


@keys_group.command("new")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="File for the private key; must not exist yet.",
)
def new(out: Path) -> None:
    """Make a signing key: the private half into a file (mode 0600), the public half on standard output.

    Servers trust the public half: seatd serve --trust vendor.pem
    """
    from seatd.licensing.keys import fingerprint, new_private_key, private_pem, public_pem

    key = new_private_key()
    try:
        write_private(out, private_pem(key))
    except FileExistsError:
        raise Refused(f"{out} exists already; a signing key is never overwritten.") from None
    except OSError as error:
        raise Refused(f"{out} cannot be written: {error.strerror}.") from None
    say(f"Private key written to {out}; its key id is {fingerprint(key.public_key())}.")
    click.echo(public_pem(key.public_key()).decode("ascii"), nl=False)


@keys_group.command("public")
@click.option("--key", required=True, type=KEY_FILE, help="File with the private key.")
def public(key: Path) -> None:
    """Print the public half of a signing key."""
    from seatd.licensing.keys import public_pem

    click.echo(public_pem(signing_key(key).public_key()).decode("ascii"), nl=False)


def signing_key(path: Path) -> Ed25519PrivateKey:
    """The private key in a file. Raises Refused."""
    from seatd.licensing.keys import BadSigningKey, load_private_key

    try:
        return load_private_key(path.read_bytes())
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from None
    except BadSigningKey as error:
        raise Refused(f"{path}: {error}.") from None
