"""How values are written on the command line, and the sentence for each way to get one wrong."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NamedTuple, get_args

import click

from seatd_protocol.messages import SeatKind

UNITS_S = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
DURATION = re.compile(r"([0-9]{1,9})([smhd]?)")
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


class Duration(click.ParamType[int]):
    """A whole number of seconds, minutes, hours or days: `60s`, `15m`, `1h`, `30d`; read as seconds."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The seconds."""
        if isinstance(value, int):
            return value
        found = DURATION.fullmatch(str(value))
        if found is None:
            self.fail(f"{value!r} is not a duration such as 60s, 15m, 1h or 30d.", param, ctx)
        return int(found[1]) * UNITS_S[found[2]]


class UtcTime(click.ParamType[datetime]):
    """A moment in UTC: `2026-01-31` (as that day begins) or `2026-01-31T12:00:00Z`."""

    name = "date"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The moment, with its time zone."""
        if isinstance(value, datetime):
            return value
        text = str(value)
        try:
            if not DAY.fullmatch(text) and not MOMENT.fullmatch(text):
                raise ValueError
            return datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC)
        except ValueError:
            wanted = "a date in UTC such as 2026-01-31 or 2026-01-31T12:00:00Z"
            self.fail(f"{text!r} is not {wanted}.", param, ctx)


class LicenseSpec(NamedTuple):
    """A license to be issued, as it is written."""

    product: str
    kind: str
    limit: int


class LicenseSpecType(click.ParamType[LicenseSpec]):
    """`PRODUCT:KIND:LIMIT`, such as `CALL_CENTER:competitive:25`."""

    name = "PRODUCT:KIND:LIMIT"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> LicenseSpec:
        """The three parts."""
        if isinstance(value, LicenseSpec):
            return value
        parts = str(value).split(":")
        if len(parts) != 3 or not all(parts):
            self.fail(f"{value!r} is not PRODUCT:KIND:LIMIT, such as CALL_CENTER:competitive:25.", param, ctx)
        product, kind, limit = parts
        if kind not in get_args(SeatKind):
            self.fail(f"{kind!r} is not a kind; it is competitive or nominal.", param, ctx)
        if not re.fullmatch(r"[0-9]{1,12}", limit):
            self.fail(f"{limit!r} is not a limit; it is a whole number.", param, ctx)
        return LicenseSpec(product, kind, int(limit))


DURATION_TYPE = Duration()
UTC_TIME = UtcTime()
LICENSE_SPEC = LicenseSpecType()
