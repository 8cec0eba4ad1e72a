"""`seatd config`: the effective settings, and whether a server would start with them."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click
import msgspec

from seatd.cli.access import json_option
from seatd.cli.failures import Refused
from seatd.cli.output import print_json, print_table, say

if TYPE_CHECKING:
    from seatd.config import Settings

R = TypeVar("R")

OPTIONS = (
    click.option("--clients", metavar="HOST:PORT", help="Where clients connect; port 0: any free one."),
    click.option("--admin", metavar="HOST:PORT", help="Where console, REST API and metrics are served."),
    click.option("--data", metavar="DIR", help="Data folder."),
    click.option(
        "--store", metavar="URL", help="Redis or Valkey; without, an embedded store in the data folder."
    ),
    click.option("--node", metavar="NAME", help="Name of this node."),
    click.option(
        "--workers", metavar="N", help="Processes that share the addresses, each a node of its own."
    ),
    click.option(
        "--trust", multiple=True, metavar="FILE...", help="Vendor public keys (PEM); one or several."
    ),
    click.option("--log-level", metavar="LEVEL", help="debug, info, warning or error."),
    click.option("--log-format", metavar="FORMAT", help="auto, text or json."),
    click.argument("more_trust", nargs=-1, metavar=""),
)
FLAGS = ("clients", "admin", "data", "store", "node", "workers", "log_level", "log_format")
SETTING_OF = {"log_level": "log.level", "log_format": "log.format"}  # the others are flags by that very name


def settings_options(command: Callable[..., R]) -> Callable[..., R]:
    """`--config` and the flags that stand for settings; the verb gets the effective settings first."""

    @click.option(
        "--config", "config_file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="FILE", help="Settings in TOML.",
    )  # fmt: skip
    @functools.wraps(command)
    def with_settings(
        config_file: Path | None, trust: tuple[str, ...], more_trust: tuple[str, ...], **given: object
    ) -> R:
        if more_trust and not trust:
            raise click.UsageError(f"Got unexpected extra argument ({more_trust[0]})")
        flags: dict[str, str | Sequence[str]] = {"trust": [*trust, *more_trust]} if trust else {}
        for name in FLAGS:
            value = given.pop(name)
            if value is not None:
                flags[SETTING_OF.get(name, name)] = str(value)
        return command(_load(config_file, flags), **given)

    decorated: Callable[..., R] = with_settings
    for option in reversed(OPTIONS):
        decorated = option(decorated)
    return decorated


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
@settings_options
@json_option
def show(settings: Settings, as_json: bool) -> None:
    """Print every setting with its value and where it came from; secrets are masked."""
    from seatd.config import describe

    found = describe(settings)
    if as_json:
        print_json(msgspec.json.encode([row._asdict() for row in found]))
    else:
        print_table(("Setting", "Value", "From"), found)


@config_group.command("check")
@settings_options
def check(settings: Settings) -> None:
    """Say whether a server would start with these settings."""
    say(
        f"The configuration is good; {len(settings.sources)} of its settings are given, the others have their defaults."
    )
