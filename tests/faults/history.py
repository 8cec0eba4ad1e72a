"""What everybody did and believed, and when: one line per event, on one clock.

All processes of a trial run on one machine, so one CLOCK_MONOTONIC orders their events exactly. As in Jepsen's histories an
operation has an `invoke` and then `ok`, `fail` (it took no effect) or `info` (nobody knows whether it did).

| op | type | by | says |
|---|---|---|---|
| `hello` | invoke | a client | value: user, resume (session or null) |
| `hello` | ok | a client | welcome; value: user, resumed |
| `hello` | fail | a client | denied; value: code |
| `hello` | info | a client | the connection ended before the answer |
| `believes` | ok | a client | value: seats [[license, holder]], until_s: from now to its next one, at most to until_s |
| `bye`, `logout` | ok | a client | it has let go by itself; by order |
| `closed` | ok | a client | a connection's end; value: code, reason, final (the client does not come back) |
| `kick` | invoke, ok | an administrator | value: user, sessions, cooldown_s (0: none) |
| `limit` | invoke, ok | an administrator | license; value: the new limit |
| `granted` | ok | the ledger | a new session has a seat; value: holder, queued (its number in the queue, if it waited) |
| `attached` | ok | the ledger | a session lives on `node` under `fence`, `epoch` |
| `parked` | ok | the ledger | value: holder, until_s (its deadline) |
| `freed` | ok | the ledger | a session's seat is free |
| `queued`, `left` | ok | the ledger | a session waits, waits no longer; value: its number in the queue |
| `used` | ok | the ledger | license; value: used, limit, recovering |
| `epoch` | ok | whoever reads it | epoch |
| `harm` | invoke, ok | the trial | it begins, has ended; value: harms |
| `usage` | ok | the trial | value: what a node and the store use, see `soak.py` |
| `lost` | ok | the trial | the store has lost writes |
| `rest` | ok | the trial | nothing moves any more; value: ledger, nodes: the sessions that each knows; parked: in their time |
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

Type = Literal["invoke", "ok", "fail", "info"]


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of a history. `t` in seconds of the trial's clock; empty fields do not apply."""

    t: float
    proc: str
    type: Type
    op: str
    customer: str = ""
    license: str = ""
    session: str = ""
    node: str = ""
    fence: int = 0
    epoch: int = 0
    request: str = ""
    value: Any = None


class History:
    """Events in the order in which they happened."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.events: list[Event] = []

    def __iter__(self) -> Iterator[Event]:
        return iter(self.events)

    def __len__(self) -> int:
        return len(self.events)

    def note(self, proc: str, type_: Type, op: str, *, at: float | None = None, **fields: Any) -> Event:
        """Adds an event that happens now, or that was so at a moment just past."""
        event = Event(t=self.clock() if at is None else at, proc=proc, type=type_, op=op, **fields)
        self.events.append(event)
        return event

    def of(self, *ops: str, type_: Type = "ok") -> Iterator[Event]:
        """The events of these operations, by default those that succeeded."""
        return (event for event in self.events if event.op in ops and event.type == type_)

    def write(self, path: Path) -> None:
        """Writes one JSON object per line."""
        encode = msgspec.json.Encoder().encode
        path.write_bytes(b"".join(encode(event) + b"\n" for event in self.events))

    @classmethod
    def read(cls, path: Path) -> History:
        """A history that was written. Raises `msgspec.ValidationError` for what is none."""
        return cls.made_of(
            msgspec.json.decode(line, type=Event) for line in path.read_bytes().splitlines() if line
        )

    @classmethod
    def made_of(cls, events: Iterable[Event]) -> History:
        """A history of given events, put in order."""
        history = cls()
        history.events = sorted(events, key=lambda event: event.t)
        return history
