"""From what clients recorded to intervals: who believed to hold which seat, from when until when."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tests.faults.history import Event, History


class Belief(NamedTuple):
    """A client could rightly use a seat from `start` until just before `end` (seconds)."""

    start: float
    end: float
    license: str
    holder: str
    session: str
    proc: str


def beliefs(history: History) -> list[Belief]:
    """All beliefs, by their start. Records of one client that change nothing but the end are one belief."""
    found: list[Belief] = []
    for records in _by_client(history).values():
        found += _of_one(records)
    return sorted(found)


def _by_client(history: History) -> dict[str, list[Event]]:
    clients: dict[str, list[Event]] = {}
    for event in history.of("believes"):
        clients.setdefault(event.proc, []).append(event)
    return clients


def _of_one(records: list[Event]) -> Iterator[Belief]:
    open_: dict[tuple[str, str, str], Belief] = {}
    for place, record in enumerate(records):
        until = record.value["until_s"]
        until = record.t if until is None else until
        end = min(until, records[place + 1].t) if place + 1 < len(records) else until
        now: dict[tuple[str, str, str], Belief] = {}
        for license_, holder in record.value["seats"]:
            if end <= record.t:
                continue
            key = (license_, holder, record.session)
            before = open_.get(key)
            start = before.start if before and before.end >= record.t else record.t
            now[key] = Belief(start, end, license_, holder, record.session, record.proc)
        yield from (
            belief for key, belief in open_.items() if key not in now or now[key].start != belief.start
        )
        open_ = now
    yield from open_.values()


class Limits:
    """The limit of each license over time, as far as the history knows it.

    While a change is under way (invoked, not yet acknowledged) both may be in force: a lower one counts from its `ok`, a
    higher one from its `invoke`.
    """

    def __init__(self, history: History, initial: dict[str, int]) -> None:
        self._changes: dict[str, list[tuple[float, int]]] = {
            license_: [(float("-inf"), limit)] for license_, limit in initial.items()
        }
        for event in history:
            if event.op == "limit" and event.type in ("invoke", "ok"):
                changes = self._changes.setdefault(event.license, [])
                if event.type == "ok" or not changes or event.value > changes[-1][1]:
                    changes.append((event.t, event.value))

    def __contains__(self, license_: str) -> bool:
        return license_ in self._changes

    def at(self, license_: str, t: float) -> int:
        """The limit in force at a moment."""
        return [limit for since, limit in self._changes[license_] if since <= t][-1]

    def most(self, license_: str, start: float, end: float) -> int:
        """The highest limit in force at any moment from `start` to `end`."""
        within = [limit for since, limit in self._changes[license_] if start < since <= end]
        return max([self.at(license_, start), *within])
