"""`seatd config`: the effective settings, and whether a server would start with them."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import click
import msgspec

from seatd.cli.access import json_option
from seatd.cli.failures import Refused
from seatd.cli.output import print_json, print_table, say

if TYPE_CHECKING:
    from seatd.config import Settings

P = ParamSpec("P")
R = TypeVar("R")

OPTIONS = (
    click.option("--clients", metavar="HOST:PORT", help="Where clients connect; port 0: any free one."),
    click.option("--admin", metavar="HOST:PORT", help="Where console, REST API and metrics are served."),
    click.option("--data", metavar="DIR", help="Data folder."),
    click.option("--store", metavar="URL", help="Redis or Valkey; without, an embedded store in the data folder."),
    click.option("--node", metavar="NAME", help="Name of this node."),
    click.option("--trust", multiple=True, metavar="FILE...", help="Vendor public keys (PEM); one or several."),
    click.option("--log-level", metavar="LEVEL", help="debug, info, warning or error."),
    click.option("--log-format", metavar="FORMAT", help="auto, text or json."),
    click.argument("more_trust", nargs=-1, metavar=""),
)
NAMES = {"log_level": "log.level", "log_format": "log.format"}


def settings_options(command: Callable[[Settings], R]) -> Callable[..., R]:
    """`--config` and the flags that stand for settings; the verb gets the effective settings."""

    @click.option(
        "--config", "config_file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="FILE", help="Settings in TOML.",
    )  # fmt: skip
    @functools.wraps(command)
    def with_settings(
        config_file: Path | None,
        trust: tuple[str, ...],
        more_trust: tuple[str, ...],
        **given: str | None,
    ) -> R:
        if more_trust and not trust:
            raise click.UsageError(f"Got unexpected extra argument ({more_trust[0]})")
        flags: dict[str, str | Sequence[str]] = {
            NAMES.get(name, name): value for name, value in given.items() if value is not None
        }
        if trust:
            flags["trust"] = [path for text in (*trust, *more_trust) for path in text.split(",") if path]
        return command(_load(config_file, flags))

    for option in reversed(OPTIONS):
        option(with_settings)
    return with_settings


def _load(config_file: Path | None, flags: Mapping[str, str | Sequence[str]]) -> Settings:
    from seatd.config import ConfigError, load

    try:
        return load(config_file, os.environ, flags)
    except ConfigError as error:
        faults = "\n".join(f"  {line}" for line in error.errors)
        raise Refused(f"The configuration cannot be used.\n{faults}") from None


@click.group("config")
def config_group() -> None:
    """The effective settings of a server."""


@config_group.command("show")
@json_option
def show() -> None:
    """Print every setting with its value and where it came from; secrets are masked."""


@config_group.command("check")
def check() -> None:
    """Say whether a server would start with these settings."""
