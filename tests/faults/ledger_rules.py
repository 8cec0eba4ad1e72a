"""The checker's rules about what the ledger wrote: owners, turns, leaks, epochs, effects (I3, I6 to I11)."""

from __future__ import annotations

from collections.abc import Iterator

from tests.faults.history import Event, History
from tests.faults.violation import Violation


def two_owners(history: History) -> Iterator[Violation]:
    """I3: within an epoch a session's fence only grows, an id is given once, and no two nodes have it under one fence.

    (A replaced primary may go on for a while: what it writes then belongs to the epoch before.)
    """
    owners: dict[tuple[str, int], Event] = {}
    ended: set[tuple[str, int]] = set()
    for event in history.of("granted", "attached", "freed", "lost"):
        if event.op == "lost":
            ended.clear()
        elif event.op == "freed":
            ended.add((event.session, event.epoch))
        else:
            key = (event.session, event.epoch)
            before = owners.get(key)
            owners[key] = event
            if key in ended:
                yield Violation(event.t, "I3", f"session {event.session} had ended and is given out again")
                ended.discard(key)
            elif before:
                yield from _follows(before, event)


def _follows(before: Event, event: Event) -> Iterator[Violation]:
    if event.fence < before.fence:
        text = f"went back from fence {before.fence} to {event.fence}"
        yield Violation(event.t, "I3", f"session {event.session} {text}")
    elif event.fence == before.fence and event.node != before.node:
        yield Violation(
            event.t,
            "I3",
            f"session {event.session} is on {before.node} and on {event.node} under one fence, {event.fence}",
        )


def out_of_turn(history: History) -> Iterator[Violation]:
    """I6: of those who wait from before to after a grant, the one that came first is served."""
    waiting: dict[tuple[str, str, str], Event] = {}
    for event in history.of("queued", "left", "granted", "freed", "lost"):
        key = (event.proc, event.license, event.session)  # two primaries have two queues
        if event.op == "lost":
            waiting.clear()
        elif event.op == "queued":
            waiting[key] = event
        else:
            waiting.pop(key, None)
        if event.op == "granted" and event.value.get("queued"):
            earlier = [
                other
                for (proc, license_, _), other in waiting.items()
                if (proc, license_) == key[:2] and other.value < event.value["queued"]
            ]
            if earlier:
                yield Violation(
                    event.t,
                    "I6",
                    f"session {event.session} was served as number {event.value['queued']} of {event.license} "
                    f"before number {earlier[0].value}, session {earlier[0].session}",
                )


def leaks(history: History) -> Iterator[Violation]:
    """I7: at rest the ledger knows the sessions that the nodes know, no more, no less; but for parked ones in their time."""
    for event in history.of("rest"):
        ledger, nodes = set(event.value["ledger"]), set(event.value["nodes"])
        if more := ledger - nodes:
            yield Violation(event.t, "I7", f"{len(more)} sessions have seats and live nowhere: {_some(more)}")
        if less := nodes - ledger:
            yield Violation(event.t, "I7", f"{len(less)} sessions live without a seat: {_some(less)}")


def not_conserved(history: History) -> Iterator[Violation]:
    """I8: what was granted and not freed is what is held, an operation of unknown outcome counting either way.

    A loss of the store makes all of it unknown, so only what follows the last loss is reckoned.
    """
    if any(history.of("lost")):
        return
    low = high = 0
    counted: set[str] = set()
    for event in history:
        if event.op == "granted" and event.session in counted:
            continue  # a session may have seats of several licenses
        counted |= {event.session} if event.op == "granted" else set()
        if event.op in ("granted", "freed") and event.type in ("ok", "info"):
            step = 1 if event.op == "granted" else -1
            low += step if event.type == "ok" or step < 0 else 0
            high += step if event.type == "ok" or step > 0 else 0
        elif event.op == "rest" and high > 0:
            held = len(event.value["ledger"]) + len(event.value.get("parked", ()))
            if not low <= held <= high:
                span = f"{low}" if low == high else f"{low} to {high}"
                yield Violation(
                    event.t, "I8", f"{held} sessions are held, but grants less endings make {span}"
                )


def epoch_back(history: History) -> Iterator[Violation]:
    """I9: nobody sees an epoch go back."""
    seen: dict[str, int] = {}
    for event in history.of("epoch"):
        if event.epoch < seen.get(event.proc, 0):
            yield Violation(event.t, "I9", f"{event.proc} saw epoch {event.epoch} after {seen[event.proc]}")
        seen[event.proc] = max(event.epoch, seen.get(event.proc, 0))


def done_twice(history: History) -> Iterator[Violation]:
    """I10: a request has one effect, however often it is sent."""
    effects: dict[str, Event] = {}
    for event in history.of("granted"):
        if not event.request:
            continue
        before = effects.setdefault(event.request, event)
        if before is not event:
            yield Violation(
                event.t,
                "I10",
                f"request {event.request} had two effects: sessions {before.session} and {event.session}",
            )


def foreign(history: History) -> Iterator[Violation]:
    """I11: all that is said of a session is said for one customer."""
    owners: dict[str, str] = {}
    for event in history:
        if event.session and event.customer:
            owner = owners.setdefault(event.session, event.customer)
            if owner != event.customer:
                yield Violation(
                    event.t, "I11", f"session {event.session} of {owner} appears as {event.customer}'s"
                )


def _some(sessions: set[str]) -> str:
    names = sorted(sessions)
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
