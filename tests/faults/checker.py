"""Judges a history: the twelve rules that must hold whatever fails. Pure functions; each violation says what, who, when.

I1 is the promise itself: no more clients than the limit may rightly believe in a seat at one moment. A client believes by its
own lease rule, from `welcome` to the first of `bye` sent, its lease's end, `logout` received, a final denial or close.
The sweep over intervals is per license (P-compositionality: a history is right if each license's part of it is).
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.faults import ledger_rules
from tests.faults.beliefs import Belief, Limits, beliefs
from tests.faults.history import Event, History
from tests.faults.violation import Violation

__all__ = ["Rules", "Violation", "check"]


@dataclass(frozen=True)
class Rules:
    """What the history is judged by.

    `limits`: license -> seats at the beginning. `overdraft`: license -> seats above the limit that the key allows. `kick_s`:
    how long after a forced logout a client may still believe (T + C: until then it stops by itself). `ends_known`: every
    client's last close must have a code of the contract; off where the trial has ended clients itself. `first_come`: clients
    are served in the order in which they began to wait. `exact_ledger`: `granted` has the moment of the write itself;
    otherwise a seat may have been granted at any moment since its hello.
    """

    limits: Mapping[str, int]
    overdraft: Mapping[str, int] = field(default_factory=dict)
    kick_s: float = 34.0
    ends_known: bool = True
    first_come: bool = True
    exact_ledger: bool = False


def check(history: History, rules: Rules) -> list[Violation]:
    """Every violation of I1 to I12, by time."""
    history = History.made_of(history)
    return sorted(violation for rule in RULES for violation in rule(history, rules))


# -- I1, I2, I5: never more than the limit -------------------------------------------------------------


class _Sweep(NamedTuple):
    """A moment at which somebody begins to believe, and all who believe then."""

    belief: Belief
    holders: frozenset[str]


def _sweep(all_beliefs: list[Belief]) -> Iterator[_Sweep]:
    """Believing clients at each beginning. Only there can their number grow. Devices that share a seat count once."""
    active: dict[str, list[Belief]] = defaultdict(list)
    for belief in all_beliefs:
        still = [other for other in active[belief.license] if other.end > belief.start]
        active[belief.license] = [*still, belief]
        yield _Sweep(belief, frozenset(other.holder for other in active[belief.license]))


def over_limit(history: History, rules: Rules) -> Iterator[Violation]:
    """I1: definite holders never exceed the limit. After it was lowered those who held before may go on, nobody new begins."""
    limits = Limits(history, dict(rules.limits))
    granted = _granted_s(history, rules)
    for belief, holders in _sweep(beliefs(history)):
        if belief.license not in limits:
            continue
        began = min(granted.setdefault(belief.session, belief.start), belief.start)
        limit = limits.most(belief.license, began, belief.start) + rules.overdraft.get(belief.license, 0)
        if len(holders) > limit:
            yield Violation(
                belief.start,
                "I1",
                f"{len(holders)} clients believe in a seat of {belief.license}, which has {limit}: {belief.holder} "
                f"(session {belief.session}) joins {_names(holders - {belief.holder})}",
            )


def _granted_s(history: History, rules: Rules) -> dict[str, float]:
    """When each session was granted its seats, at the earliest."""
    granted: dict[str, float] = {}
    said: dict[str, float] = {}
    for event in history.of("granted"):
        if rules.exact_ledger:
            granted.setdefault(event.session, event.t)
    for event in history:
        if event.op == "hello" and event.type == "invoke":
            said[event.proc] = event.t
        elif event.op == "hello" and event.type == "ok":
            granted.setdefault(event.session, said.get(event.proc, event.t))
    return granted


def ledger_over_limit(history: History, rules: Rules) -> Iterator[Violation]:
    """I2: the ledger counts no more than the limit, unless it was lowered (then never growing) or recovers from a loss."""
    limits = Limits(history, dict(rules.limits))
    before: dict[str, int] = {}
    for event in history.of("used"):
        used, previous = event.value["used"], before.get(event.license, 0)
        before[event.license] = used
        if event.license not in limits or event.value.get("recovering"):
            continue
        limit = limits.at(event.license, event.t) + rules.overdraft.get(event.license, 0)
        if used > limit and used > previous:
            yield Violation(
                event.t, "I2", f"the ledger counts {used} seats of {event.license}, which has {limit}"
            )


def reserved_given_away(history: History, rules: Rules) -> Iterator[Violation]:
    """I5: nobody new gets a seat that is kept for a parked session whose deadline is still to come."""
    limits = Limits(history, dict(rules.limits))
    believing = _Believing(beliefs(history))
    kept: dict[str, Event] = {}
    known: dict[str, str] = {}  # sessions that a client can come back for, and which client
    for event in history:
        if event.type != "ok":
            continue
        if event.op == "parked" and event.session in known:
            kept[event.session] = event
        elif event.op in ("attached", "hello"):
            kept.pop(event.session, None)
            if event.op == "hello":  # a device has one session: with a newer one it has let go of the older
                for older in [session for session, proc in known.items() if proc == event.proc]:
                    del known[older]
                    kept.pop(older, None)
                known[event.session] = event.proc
        elif event.op in ("bye", "logout", "kick"):
            for session in event.value["sessions"] if event.op == "kick" else [event.session]:
                known.pop(session, None)
                kept.pop(session, None)
        elif event.op == "lost":
            kept.clear()  # what the store forgot it cannot keep
        elif event.op == "granted" and event.license in limits:
            reserved = {
                item.value["holder"]
                for item in kept.values()
                if item.license == event.license and item.value["until_s"] > event.t
            }
            held = believing.at(event.t, event.license)
            taken = held | reserved | {event.value["holder"]}
            limit = limits.at(event.license, event.t) + rules.overdraft.get(event.license, 0)
            if len(taken) > limit and reserved - held:
                yield Violation(
                    event.t,
                    "I5",
                    f"{event.value['holder']} got a seat of {event.license} while {_names(reserved - held)} could still "
                    f"come back for it: {len(taken)} of {limit}",
                )


class _Believing:
    """Who believes in a seat at one moment after another: as long as time does not go back, each belief is looked at while it
    lasts, so that the longest history is judged in a time that grows with its length."""

    def __init__(self, all_beliefs: list[Belief]) -> None:
        self._to_come = deque(sorted(all_beliefs))
        self._now: dict[str, list[Belief]] = defaultdict(list)

    def at(self, t: float, license_: str) -> set[str]:
        """Holders at a moment."""
        while self._to_come and self._to_come[0].start <= t:
            belief = self._to_come.popleft()
            self._now[belief.license].append(belief)
        self._now[license_] = [belief for belief in self._now[license_] if t < belief.end]
        return {belief.holder for belief in self._now[license_]}


# -- I4, I12: ends -------------------------------------------------------------------------------------


def back_after_kick(history: History, rules: Rules) -> Iterator[Violation]:
    """I4: a session that was forced out is never attached again, its client stops in time, and its user is refused meanwhile.

    A loss of the store may take a logout with it: then whoever comes back is out again `kick_s` after the loss.
    """
    kicks = list(history.of("kick"))
    if not kicks:
        return
    lost = [event.t for event in history.of("lost")]
    lives, believed = _lives(history), defaultdict(list)
    for belief in beliefs(history):
        believed[belief.session].append(belief)
    for kick in kicks:
        after = [t for t in lost if t > kick.t]
        for session in kick.value["sessions"]:
            yield from _revived(kick, rules, after, lives.by_session[session])
            yield from _goes_on(kick, max([kick.t, *after]) + rules.kick_s, believed[session])
        yield from _let_in(kick, after, lives.by_user[kick.value["user"]])


class _Life(NamedTuple):
    """A session came to life at `t`, as was asked for at `asked_s`."""

    t: float
    asked_s: float
    session: str


class _Lives(NamedTuple):
    by_session: dict[str, list[_Life]]
    by_user: dict[str, list[_Life]]


def _lives(history: History) -> _Lives:
    """A welcome counts from its hello: what was on its way when a logout took effect may still arrive."""
    found = _Lives(defaultdict(list), defaultdict(list))
    said: dict[str, float] = {}
    for event in history:
        if event.op == "hello" and event.type == "invoke":
            said[event.proc] = event.t
        elif event.op == "hello" and event.type == "ok":
            life = _Life(event.t, said.get(event.proc, event.t), event.session)
            found.by_session[event.session].append(life)
            found.by_user[event.value["user"]].append(life)
        elif event.op == "attached" and event.type == "ok":
            found.by_session[event.session].append(_Life(event.t, event.t, event.session))
    return found


def _revived(kick: Event, rules: Rules, lost: list[float], lives: list[_Life]) -> Iterator[Violation]:
    for life in lives:
        forgiven = any(t <= life.t <= t + rules.kick_s for t in lost)
        if life.asked_s > kick.t and not forgiven:
            text = f"session {life.session} of {kick.value['user']} lives again, forced out at {kick.t:.3f}"
            yield Violation(life.t, "I4", text)


def _goes_on(kick: Event, stop: float, believed: list[Belief]) -> Iterator[Violation]:
    for belief in believed:
        if belief.end > stop:
            text = f"{belief.proc} still believes in session {belief.session}, forced out at {kick.t:.3f}"
            yield Violation(max(stop, belief.start), "I4", text)


def _let_in(kick: Event, lost: list[float], lives: list[_Life]) -> Iterator[Violation]:
    cooldown_s = kick.value.get("cooldown_s", 0)
    for life in lives:
        forgotten = any(t <= life.t for t in lost)
        if kick.t < life.asked_s and life.t < kick.t + cooldown_s and not forgotten:
            yield Violation(
                life.t,
                "I4",
                f"{kick.value['user']} got session {life.session} within the {cooldown_s:g} s of refusal "
                f"after the forced logout at {kick.t:.3f}",
            )


def unexplained_ends(history: History, rules: Rules) -> Iterator[Violation]:
    """I12: whoever stops for good was told why, by a code of the contract."""
    if not rules.ends_known:
        return
    for event in history.of("closed"):
        if event.value["final"] and (event.value["code"] in (None, 1005, 1006) or not event.value["reason"]):
            yield Violation(
                event.t, "I12", f"{event.proc} was ended without a reason (code {event.value['code']})"
            )


def _names(holders: frozenset[str] | set[str]) -> str:
    names = sorted(holders)
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _plain(rule: Callable[[History], Iterator[Violation]]) -> Callable[[History, Rules], Iterator[Violation]]:
    return lambda history, _: rule(history)


def _first_come(history: History, rules: Rules) -> Iterator[Violation]:
    return ledger_rules.out_of_turn(history) if rules.first_come else iter(())


RULES: tuple[Callable[[History, Rules], Iterator[Violation]], ...] = (
    over_limit,
    ledger_over_limit,
    _plain(ledger_rules.two_owners),
    back_after_kick,
    reserved_given_away,
    _first_come,
    _plain(ledger_rules.leaks),
    _plain(ledger_rules.not_conserved),
    _plain(ledger_rules.epoch_back),
    _plain(ledger_rules.done_twice),
    _plain(ledger_rules.foreign),
    unexplained_ends,
)
