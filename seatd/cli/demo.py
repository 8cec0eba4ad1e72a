"""`seatd demo`: a seat granted, one refused, a forced logout, within seconds and on a real server."""

from __future__ import annotations

from pathlib import Path

import click

from seatd.cli.access import data_option
from seatd.cli.failures import Refused
from seatd.cli.output import say


@click.group("demo", invoke_without_command=True)
@data_option
@click.pass_context
def demo_group(context: click.Context, data: Path) -> None:
    """Show the whole story on a real server.

    A license is imported, people sign in, one is refused, one is forced out. It plays on the server that runs
    with the data folder, if that was prepared for demonstrations, and otherwise on a private one that ends
    with it.
    """
    context.obj = data
    if context.invoked_subcommand is None:
        _play(data)


@demo_group.command("prepare")
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Data folder.")
@click.pass_obj
def prepare_verb(of_group: Path, data: Path | None) -> None:
    """Make the keys that demonstrations need.

    A demo vendor's key and a secret for demo clients' tokens are put into the data folder, where they are
    missing. What is there is kept.
    """
    from seatd.cli.demo_files import prepare
    from seatd.licensing.keys import BadSigningKey

    folder = data or of_group
    try:
        files = prepare(folder)
    except OSError as error:
        raise Refused(f"{error.filename} cannot be written: {error.strerror}.") from None
    except BadSigningKey as error:
        raise Refused(f"{folder}/demo/vendor.key: {error}.") from None
    say(f"Demo files are in {files.folder}; a server for demonstrations starts with:")
    say(f"SEATD_TOKENS_HS256_SECRET_FILE={files.secret} seatd serve --data {folder} --trust {files.trusted}")


def _play(data: Path) -> None:
    import asyncio

    from seatd.cli.demo_server import stage
    from seatd.cli.demo_story import tell

    async def play() -> None:
        async with stage(data) as found:
            await tell(found)

    asyncio.run(play())
