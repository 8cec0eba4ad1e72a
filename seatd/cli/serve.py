"""`seatd serve`: a node, or several."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from seatd.cli.config import settings_options

if TYPE_CHECKING:
    from seatd.config import Settings


@click.command("serve")
@settings_options
def serve(settings: Settings) -> None:
    """Run a node, or with --workers several that share their addresses.

    It ends with SIGTERM or Ctrl-C, and moves its clients to other nodes first. Flags are stronger than the
    environment (SEATD_SECTION_KEY), which is stronger than the file.
    """
    if settings.node.workers > 1:
        from seatd.workers.supervisor import run
    else:
        from seatd.app import run

    sys.exit(run(settings))
