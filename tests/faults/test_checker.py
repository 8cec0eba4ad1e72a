"""The checker on histories written by hand: each rule finds what breaks it, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.faults.beliefs import beliefs
from tests.faults.checker import Rules, check
from tests.faults.history import Event, History

TWO = Rules(limits={"l": 2}, kick_s=10.0)


def event(t: float, proc: str, op: str, type_: Any = "ok", **fields: Any) -> Event:
    return Event(t=t, proc=proc, op=op, type=type_, **fields)


def holds(t: float, who: str, until_s: float | None, *licenses: str, session: str = "") -> Event:
    """From `t` on this client believes in its seats, at most to `until_s`; without licenses in none."""
    seats = [[license_, who] for license_ in licenses]
    return event(
        t, who, "believes", session=session or f"s-{who}", value={"seats": seats, "until_s": until_s}
    )


def found(*events: Event, rules: Rules = TWO) -> list[str]:
    return [violation.rule for violation in check(History.made_of(events), rules)]


def granted(t: float, session: str, holder: str = "x", **fields: Any) -> Event:
    value = {"holder": holder, **fields.pop("value", {})}
    return event(
        t,
        "ledger",
        "granted",
        session=session,
        license="l",
        value=value,
        **{"fence": 1, "node": "a", **fields},
    )


# -- intervals ----------------------------------------------------------------------------------------


def test_a_belief_ends_with_the_next_record_or_its_lease() -> None:
    history = History.made_of(
        [
            holds(1, "ann", 5, "l"),
            holds(3, "ann", 7, "l"),
            holds(6, "ann", None),
            holds(8, "ann", 9, "l"),
        ]
    )
    assert [(belief.start, belief.end) for belief in beliefs(history)] == [(1, 6), (8, 9)]


def test_a_lapse_between_two_records_is_a_gap() -> None:
    history = History.made_of([holds(1, "ann", 2, "l"), holds(3, "ann", 4, "l")])
    assert [(belief.start, belief.end) for belief in beliefs(history)] == [(1, 2), (3, 4)]


# -- I1 -----------------------------------------------------------------------------------------------


def test_i1_three_believe_in_two_seats() -> None:
    story = [holds(1, "ann", 10, "l"), holds(2, "bob", 10, "l"), holds(3, "cid", 10, "l")]
    (violation,) = check(History.made_of(story), TWO)
    assert (violation.rule, violation.t) == ("I1", 3)
    assert violation.text == (
        "3 clients believe in a seat of l, which has 2: cid (session s-cid) joins ann, bob"
    )


@pytest.mark.parametrize(
    "cid",
    [
        pytest.param(holds(10, "cid", 20, "l"), id="when a lease ends another may begin"),
        pytest.param(holds(3, "cid", 20, "other"), id="of another license"),
        pytest.param(holds(3, "cid", 2, "l"), id="whose lease was over when the answer came"),
    ],
)
def test_i1_two_are_no_violation(cid: Event) -> None:
    assert found(holds(1, "ann", 10, "l"), holds(2, "bob", 11, "l"), cid) == []


def test_i1_devices_of_one_holder_share_a_seat() -> None:
    phone = event(3, "phone", "believes", session="p", value={"seats": [["l", "ann"]], "until_s": 9})
    assert found(holds(1, "ann", 10, "l"), holds(2, "bob", 10, "l"), phone) == []


def limit(t: float, type_: str, value: int) -> Event:
    return event(t, "admin", "limit", type_, license="l", value=value)


def test_i1_after_a_lower_limit_holders_stay_but_nobody_begins() -> None:
    two = [holds(1, "ann", 30, "l"), holds(2, "bob", 30, "l"), limit(3, "invoke", 1), limit(4, "ok", 1)]
    assert found(*two) == []
    assert found(*two, holds(5, "bob", None), holds(6, "bob", 9, "l", session="s-bob")) == []  # bob is back
    assert found(*two, holds(5, "bob", None), holds(6, "cid", 9, "l")) == ["I1"]


def test_i1_a_change_under_way_may_count_or_not() -> None:
    two = [holds(1, "ann", 30, "l"), limit(2, "invoke", 1), holds(3, "bob", 30, "l"), limit(4, "ok", 1)]
    assert found(*two) == []
    three = [
        holds(1, "ann", 30, "l"),
        holds(2, "bob", 30, "l"),
        limit(3, "invoke", 3),
        holds(4, "cid", 9, "l"),
    ]
    assert found(*three) == []


def test_i1_overdraft_is_allowed_where_the_key_allows_it() -> None:
    story = [holds(1, "ann", 10, "l"), holds(2, "bob", 10, "l"), holds(3, "cid", 10, "l")]
    assert found(*story, rules=Rules(limits={"l": 2}, overdraft={"l": 1})) == []


# -- I2 to I12 ----------------------------------------------------------------------------------------


def used(t: float, number: int, **value: Any) -> Event:
    return event(t, "ledger", "used", license="l", value={"used": number, **value})


@pytest.mark.parametrize(
    ("rule", "bad", "good"),
    [
        ("I2", [used(1, 3)], [used(1, 2)]),
        ("I2", [used(1, 2), limit(2, "ok", 1), used(3, 3)], [used(1, 2), limit(2, "ok", 1), used(3, 2), used(4, 1)]),
        ("I2", [used(1, 4, recovering=False)], [used(1, 4, recovering=True), used(2, 3)]),
        ("I3", [granted(1, "s"), granted(2, "s", node="b")], [granted(1, "s"), granted(2, "s", node="b", fence=2)]),
        ("I3", [granted(1, "s", fence=2), granted(2, "s")], [granted(1, "s", fence=2), granted(2, "s", epoch=1)]),
        (
            "I3",
            [granted(1, "s"), event(2, "ledger", "freed", session="s"), granted(3, "s", fence=2)],
            [granted(1, "s"), event(2, "ledger", "freed", session="s"), granted(3, "s2")],
        ),
        (
            "I6",
            [event(1, "ledger", "queued", license="l", session=s, value=n) for s, n in (("a", 1), ("b", 2))]
            + [granted(3, "b", value={"queued": 2})],
            [event(1, "ledger", "queued", license="l", session=s, value=n) for s, n in (("a", 1), ("b", 2))]
            + [event(2, "ledger", "left", license="l", session="a"), granted(3, "b", value={"queued": 2})],
        ),
        (
            "I7",
            [event(9, "trial", "rest", value={"ledger": ["s", "t"], "nodes": ["s"]})],
            [event(9, "trial", "rest", value={"ledger": ["s"], "nodes": ["s"]})],
        ),
        ("I7", [event(9, "trial", "rest", value={"ledger": [], "nodes": ["s"]})], []),
        (
            "I8",
            [granted(1, "s"), granted(2, "t"), event(9, "trial", "rest", value={"ledger": ["s"], "nodes": ["s"]})],
            [
                granted(1, "s"),
                event(2, "l", "freed", session="t", type_="info"),
                event(9, "trial", "rest", value={"ledger": ["s"], "nodes": ["s"]}),
            ],
        ),
        ("I9", [event(1, "a", "epoch", epoch=2), event(2, "a", "epoch", epoch=1)], [event(1, "a", "epoch", epoch=2)]),
        (
            "I9",
            [event(n, "a", "epoch", epoch=3 - n) for n in (1, 2)],
            [event(n, f"n{n}", "epoch", epoch=3 - n) for n in (1, 2)],
        ),
        (
            "I10",
            [granted(1, "s", request="r"), granted(2, "t", request="r")],
            [granted(1, "s", request="r"), granted(2, "t", request="r2")],
        ),
        (
            "I11",
            [granted(1, "s", customer="acme"), event(2, "x", "freed", session="s", customer="other")],
            [granted(1, "s", customer="acme"), event(2, "x", "freed", session="s", customer="acme")],
        ),
        (
            "I12",
            [event(1, "ann", "closed", value={"code": 1006, "reason": "broke", "final": True})],
            [
                event(1, "ann", "closed", value={"code": 1006, "reason": "broke", "final": False}),
                event(2, "ann", "closed", value={"code": 4302, "reason": "logout", "final": True}),
            ],
        ),
    ],
)  # fmt: skip
def test_a_rule_finds_what_breaks_it_and_nothing_else(rule: str, bad: list[Event], good: list[Event]) -> None:
    assert found(*bad) == [rule]
    assert found(*good) == []


def kick(t: float, cooldown_s: float = 0) -> Event:
    return event(t, "admin", "kick", value={"user": "ann", "sessions": ["s-ann"], "cooldown_s": cooldown_s})


def hello(t: float, type_: str = "invoke", session: str = "", **value: Any) -> Event:
    return event(t, "ann", "hello", type_, session=session, value={"user": "ann", **value})


def test_i4_a_session_that_was_forced_out_stays_out() -> None:
    assert found(holds(1, "ann", 8, "l"), kick(2), hello(3), hello(4, "ok", "s-ann")) == ["I4"]
    assert found(holds(1, "ann", 8, "l"), kick(2), hello(3), hello(4, "ok", "s-new")) == []
    assert found(hello(1), kick(2), hello(3, "ok", "s-ann")) == []  # was on its way
    assert found(kick(2), event(3, "ledger", "attached", session="s-ann", fence=2)) == ["I4"]


def test_i4_its_client_stops_in_time() -> None:
    assert found(holds(1, "ann", 12, "l"), kick(2)) == []
    assert found(holds(1, "ann", 12.1, "l"), kick(2)) == ["I4"]


def test_i4_its_user_is_refused_for_a_while() -> None:
    assert found(kick(2, 10), hello(3), hello(4, "ok", "s-new")) == ["I4"]
    assert found(kick(2, 10), hello(13), hello(14, "ok", "s-new")) == []
    assert found(hello(1), kick(2, 10), hello(3, "ok", "s-new")) == []


def test_i4_a_logout_that_the_store_lost_takes_effect_again_soon() -> None:
    lost = event(5, "trial", "lost")
    assert found(kick(2), lost, event(6, "ledger", "attached", session="s-ann", fence=2)) == []
    assert found(kick(2), lost, event(16, "ledger", "attached", session="s-ann", fence=2)) == ["I4"]


def parked(t: float, until_s: float) -> Event:
    return event(
        t, "ledger", "parked", session="s-ann", license="l", value={"holder": "ann", "until_s": until_s}
    )


def test_i5_a_kept_seat_is_not_given_away() -> None:
    two = [hello(1, "ok", "s-ann"), holds(1, "ann", 3, "l"), holds(1.5, "bob", 30, "l"), parked(2, 10)]
    assert found(*two, granted(5, "s-cid", "cid")) == ["I5"]
    assert found(*two, granted(10, "s-cid", "cid")) == []
    assert found(*two, event(4, "ann", "bye", session="s-ann"), granted(5, "s-cid", "cid")) == []


def test_i5_a_device_that_has_signed_in_anew_comes_back_for_nothing_older() -> None:
    two = [hello(1, "ok", "s-ann"), holds(1, "ann", 2, "l"), holds(1.5, "bob", 30, "l"), parked(2, 10)]
    anew = [hello(3, "ok", "s-new"), event(4, "ann", "bye", session="s-new")]
    assert found(*two, *anew, granted(5, "s-cid", "cid")) == []
    assert found(*two, granted(2.5, "s-cid", "cid"), *anew) == ["I5"]


def test_a_history_survives_writing_and_reading(tmp_path: Path) -> None:
    history = History.made_of([holds(1, "ann", 10, "l"), kick(2, 3)])
    history.write(tmp_path / "history.jsonl")
    assert History.read(tmp_path / "history.jsonl").events == history.events
    (tmp_path / "history.jsonl").write_text('{"t": "soon"}\n')
    with pytest.raises(msgspec.ValidationError):
        History.read(tmp_path / "history.jsonl")
