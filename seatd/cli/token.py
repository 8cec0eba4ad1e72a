"""`seatd token client`: tokens that clients sign in with, for tests and demonstrations. Works without a server.

In production an identity provider issues them.
"""

from __future__ import annotations

import os
import secrets
import time
from pathlib import Path
from typing import NamedTuple, get_args

import click

from seatd.cli.access import data_option
from seatd.cli.failures import Refused
from seatd.cli.parsing import DURATION_TYPE
from seatd_protocol.messages import DeviceKind

SECRET = "SEATD_TOKENS_HS256_SECRET"  # noqa: S105 -- a variable's name
MIN_SECRET_BYTES = 32  # RFC 7518 section 3.2
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class Signer(NamedTuple):
    """How a token is signed."""

    algorithm: str
    key: str | bytes
    kid: str | None


@click.group("token")
def token_group() -> None:
    """Tokens: `client` for those who take seats, `api` for programs that administer."""


@token_group.command("client")
@click.option("--user", required=True, help="Who signs in, name@domain.")
@click.option("--customer", required=True, help="Id of the customer.")
@click.option(
    "--ttl", type=DURATION_TYPE, default="1h", show_default=True, help="How long the token is good."
)
@click.option("--products", multiple=True, help="Only these may be asked for; repeatable, or with commas.")
@click.option(
    "--device",
    "devices",
    multiple=True,
    type=click.Choice(get_args(DeviceKind)),
    help="Only these; repeatable.",
)
@click.option("--secret-file", type=FILE, help="File with the shared secret (HS256).")
@click.option("--key", "key_file", type=FILE, help="Private key in PEM (EdDSA, ES256 or RS256).")
@click.option("--kid", help="Key id in the token's header.  [default: the name of --key without its ending]")
@data_option
def client(
    user: str,
    customer: str,
    ttl: int,
    products: tuple[str, ...],
    devices: tuple[str, ...],
    secret_file: Path | None,
    key_file: Path | None,
    kid: str | None,
    data: Path,
) -> None:
    """Print a client token.

    It is signed with --key, or with the shared secret: --secret-file, else SEATD_TOKENS_HS256_SECRET, else the
    file that SEATD_TOKENS_HS256_SECRET_FILE names, else demo/client.secret in the data folder.
    """
    import jwt

    _check_names(user, customer)
    if not ttl:
        raise click.UsageError("--ttl must be longer than 0s.")
    if key_file and secret_file:
        raise click.UsageError("Give either --key or --secret-file.")
    signer = signer_of(key_file, kid) if key_file else Signer("HS256", _secret(secret_file, data), kid)
    claims = client_claims(user, customer, ttl_s=ttl, now_s=int(time.time()))
    names = [name for given in products for name in given.split(",") if name]
    claims |= {name: values for name, values in (("products", names), ("device", list(devices))) if values}
    headers = {"kid": signer.kid} if signer.kid else None
    click.echo(jwt.encode(claims, signer.key, signer.algorithm, headers=headers))


def client_claims(user: str, customer: str, *, ttl_s: int, now_s: int) -> dict[str, object]:
    """The claims that every client token has."""
    return {
        "aud": "seatd",
        "sub": user,
        "customer": customer,
        "iat": now_s,
        "exp": now_s + ttl_s,
        "jti": secrets.token_hex(8),
    }


def _check_names(user: str, customer: str) -> None:
    from seatd.licensing.names import BadName, check_customer, split_user

    try:
        split_user(user)
    except BadName as error:
        raise click.BadParameter(f"{error}.", param_hint="'--user'") from None
    try:
        check_customer(customer)
    except BadName as error:
        raise click.BadParameter(f"{error}.", param_hint="'--customer'") from None


def signer_of(path: Path, kid: str | None) -> Signer:
    """A private key in PEM, with its only algorithm. `kid` None: the file's name without its ending. Raises `Refused`."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    pem = path.read_bytes()
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Refused(f"{path} is not a private key in PEM without a password.") from None
    match key:
        case ed25519.Ed25519PrivateKey():
            algorithm = "EdDSA"
        case ec.EllipticCurvePrivateKey() if isinstance(key.curve, ec.SECP256R1):
            algorithm = "ES256"
        case rsa.RSAPrivateKey():
            algorithm = "RS256"
        case _:
            raise Refused(
                f"{path}: tokens are signed with Ed25519, P-256 or RSA, this is another kind of key."
            )
    return Signer(algorithm, pem, kid or path.stem)


def _secret(secret_file: Path | None, data: Path) -> str:
    place, secret = _found_secret(secret_file, data)
    if len(secret.encode()) < MIN_SECRET_BYTES:
        raise Refused(f"The secret in {place} is too short: it must have at least {MIN_SECRET_BYTES} bytes.")
    return secret


def _found_secret(secret_file: Path | None, data: Path) -> tuple[str, str]:
    if secret_file is None and os.environ.get(SECRET):
        return SECRET, os.environ[SECRET]
    named = os.environ.get(f"{SECRET}_FILE")
    path = secret_file or (Path(named) if named else data / "demo" / "client.secret")
    try:
        return str(path), path.read_text("utf-8").strip()
    except FileNotFoundError:
        raise Refused(
            f"There is no secret to sign with ({path} does not exist): give --secret-file or --key, or set {SECRET}."
        ) from None
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise Refused(f"{path} is not text.") from None
