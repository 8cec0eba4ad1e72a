"""Why a verb ends without having done its work; each kind has its exit code.

    click.ClickException
    ├── Refused       1   it was tried and did not succeed, or was refused
    ├── (UsageError)  2   click's own: the command line is wrong
    ├── Unreachable   3   there is no server to talk to
    └── NotAllowed    4   the API token is refused, or may not do this

The text goes to standard error, without a traceback.
"""

from __future__ import annotations

from typing import ClassVar

import click


class Refused(click.ClickException):
    """It was tried and did not succeed, or was refused."""

    exit_code: ClassVar[int] = 1


class Unreachable(click.ClickException):
    """There is no server to talk to."""

    exit_code: ClassVar[int] = 3


class NotAllowed(click.ClickException):
    """The API token is refused, or may not do this."""

    exit_code: ClassVar[int] = 4
