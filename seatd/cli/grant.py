"""A grant on the command line: a role, and where it counts."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TypeVar

import click

R = TypeVar("R")

ROLES = ("operator", "agency", "owner", "admin", "supervisor", "auditor")


def grant_options(default_role: str | None = None) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """`--role`, `--agency`, `--customer` and `--domain`; the verb gets them as `grant`, the body of the REST API."""
    kind = click.Choice(ROLES)
    role_option = (
        click.option("--role", type=kind, default=default_role, show_default=True, help="What may be done.")
        if default_role
        else click.option("--role", type=kind, required=True, help="What may be done.")
    )

    def with_options(command: Callable[..., R]) -> Callable[..., R]:
        @role_option
        @click.option("--agency", help="With the customers of this agency.")
        @click.option("--customer", "customers", multiple=True, help="With this customer only; repeatable.")
        @click.option("--domain", "domains", multiple=True, help="There in this domain only; repeatable.")
        @functools.wraps(command)
        def with_grant(
            *given: object,
            role: str,
            agency: str | None,
            customers: tuple[str, ...],
            domains: tuple[str, ...],
            **others: object,
        ) -> R:
            where = {"agency": agency, "customers": list(customers), "domains": list(domains)}
            grant = {"role": role, **{name: value for name, value in where.items() if value}}
            return command(*given, grant=grant, **others)

        return with_grant

    return with_options
