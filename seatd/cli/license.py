"""`seatd license`: the group of its verbs, and what several of them share."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from seatd.cli.failures import Refused
from seatd.cli.keys import KEY_FILE

if TYPE_CHECKING:
    from seatd.licensing.catalog import Catalog
    from seatd.licensing.keys import BadLicenseKey

MAX_FILE = 4_000_000

CATALOG_OPTION = click.option(
    "--catalog", "catalog_file", type=KEY_FILE, help="A product catalogue other than the built-in one."
)


@click.group("license")
def license_group() -> None:
    """License keys, and the registry of a server.

    issue and show work without a server.
    """


def read_text(file: IO[bytes]) -> str:
    """A pasted or saved license key, also as some Windows programs save text. Raises Refused."""
    raw = file.read(MAX_FILE + 1)
    if len(raw) > MAX_FILE:
        raise Refused("The file is too large for a license key.")
    wide = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return raw.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        raise Refused("The file is not text, so it holds no license key.") from None


def load_catalog(path: Path | None) -> Catalog:
    """The catalogue in a file, or the packaged one. Raises Refused."""
    from seatd.licensing.catalog import BadCatalog, Catalog

    try:
        return Catalog.load(path.read_text("utf-8") if path else None)
    except BadCatalog as error:
        faults = "\n".join(f"  {fault}" for fault in error.faults)
        raise Refused(f"The product catalogue in {path} is not usable.\n{faults}") from None
    except UnicodeDecodeError:
        raise Refused(f"{path} is not text in UTF-8.") from None


def refusal(what: str, error: BadLicenseKey) -> Refused:
    """A bad license key as a failure, with every fault on its line."""
    return Refused(f"{what}.\n" + "\n".join(f"  {fault}" for fault in error.faults))
