"""The options of `seatd license issue` that make the policy of its licenses (docs/policies.md)."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import NamedTuple

import click

from seatd.cli.parsing import DURATION_TYPE
from seatd.licensing.policy import DEVICE_RULES, ENDINGS

RESERVATION = re.compile(r"(user|group|domain):(.+):([0-9]{1,9})")


class Reservation(NamedTuple):
    """Seats kept for somebody, as it is written."""

    whom: str
    name: str
    seats: int


class ReservationType(click.ParamType[Reservation]):
    """`KIND:NAME:SEATS`, such as `group:supervisors:2`."""

    name = "KIND:NAME:SEATS"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Reservation:
        """The three parts."""
        if isinstance(value, Reservation):
            return value
        found = RESERVATION.fullmatch(str(value))
        if found is None:
            wanted = "KIND:NAME:SEATS, such as group:supervisors:2; KIND is user, group or domain"
            self.fail(f"{value!r} is not {wanted}.", param, ctx)
        return Reservation(found[1], found[2], int(found[3]))


OPTIONS = (
    click.option("--on-expiry", type=click.Choice(ENDINGS), help="Holders when the license ends."),
    click.option("--on-lower", type=click.Choice(ENDINGS), help="Holders above a limit that is lowered."),
    click.option("--on-remove", type=click.Choice(ENDINGS), help="Holders when the license is withdrawn."),
    click.option("--deadline", type=DURATION_TYPE, help="How long drain and after_call wait.  [default: 8h]"),
    click.option("--device-rule", type=click.Choice(DEVICE_RULES), help="A further device of a user."),
    click.option("--notify-waiting", is_flag=True, help="Tell holders when somebody waits for a seat."),
    click.option(
        "--reserve", multiple=True, type=ReservationType(),
        help="Seats kept, such as group:supervisors:2; repeatable.",
    ),
)  # fmt: skip


def policy_options(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command these options, and their policy as its argument `policy`: only what was said."""

    @functools.wraps(command)
    def with_policy(
        *,
        on_expiry: str | None,
        on_lower: str | None,
        on_remove: str | None,
        deadline: int | None,
        device_rule: str | None,
        notify_waiting: bool,
        reserve: tuple[Reservation, ...],
        **others: object,
    ) -> None:
        policy: dict[str, object] = {
            "on_expiry": on_expiry,
            "on_lower": on_lower,
            "on_remove": on_remove,
            "deadline_s": deadline,
            "device": device_rule,
            "notify_waiting": notify_waiting or None,
            "reservations": [{item.whom: item.name, "seats": item.seats} for item in reserve] or None,
        }
        said = {name: value for name, value in policy.items() if value is not None}
        command(policy=said, **others)

    for option in reversed(OPTIONS):
        with_policy = option(with_policy)
    return with_policy
