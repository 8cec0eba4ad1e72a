"""A product as the catalogue describes it."""

from __future__ import annotations

from typing import Literal

import msgspec

from seatd_protocol.messages import DeviceKind, SeatKind

Combine = Literal["sum", "max"]
DeviceRule = Literal["refuse", "one_per_class", "take_over"]
Counts = Literal["user", "device", "extension", "resource"]


class Product(msgspec.Struct, frozen=True, kw_only=True):
    """One product of the catalogue.

    `device` is the only device kind it is for, None for any, "none" when no session may hold it. `resource`
    names the thing that is limited besides users (or instead of them, when `counts` is "resource"). `base`
    makes it an add-on of that product; `per_extension` bounds the devices of one user that hold the add-on.
    `device_rule` is for a further device of a user, unless the license has its own: "refuse" beyond that bound,
    "one_per_class" (one desktop, one mobile ...), or "take_over" (the newer one of a kind takes the older one's place).
    `emergency`: a client that is denied it may still have a session without seats.
    """

    name: str
    kinds: frozenset[SeatKind]
    combine: Combine
    counts: Counts
    resource: str | None = None
    device: DeviceKind | Literal["none"] | None = None
    base: str | None = None
    per_extension: int | None = None
    emergency: bool = True
    device_rule: DeviceRule = "refuse"
    sections: tuple[str, ...] = ()

    def allows(self, device: DeviceKind) -> bool:
        """Whether a session on that kind of device may hold the product."""
        return self.device is None or self.device == device
