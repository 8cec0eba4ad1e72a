"""What happened to seats, as the stream of events has it."""

from __future__ import annotations

from typing import Literal

import msgspec

from seatd.store.values import Value

EventType = Literal[
    "granted",
    "freed",
    "restored",
    "denied",
    "queued",
    "logout",
    "expiring",
    "limit_reached",
    "license_imported",
    "license_withdrawn",
    "recounted",
]


class Event(Value, frozen=True, kw_only=True):
    """One thing that happened, at `at_ms` by the store's clock. `seq` is its place: no two events of a customer have the same.

    `times`: how often, of denials that a node has added up; `counts` (of `recounted`): seats, and those in the overdraft, by
    scope.
    """

    seq: str
    at_ms: int
    type: EventType
    license: str | None = None
    product: str | None = None
    kind: str | None = None
    domain: str | None = None
    user: str | None = None
    holder: str | None = None
    session: str | None = None
    overdraft: bool = False
    code: str | None = None
    times: int = 1
    by: str | None = None
    reason: str | None = None
    until_ms: int | None = None
    counts: dict[str, tuple[int, int]] = msgspec.field(default_factory=dict)
