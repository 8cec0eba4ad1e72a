"""What a node remembers of ends, cool-downs and sessions without socket, and for how long."""

from __future__ import annotations

import msgspec
import pytest

from seatd.hub import memory as module
from seatd.hub.memory import Memory
from seatd.store.values import Ended, Forced, Held, KickedSession, Order
from seatd_protocol.messages import Device

CUSTOMER, USER = "acme", "ann@acme.example"
END = Ended(session="s1", fence=2, user=USER)
HELD = Held(session="s1", fence=2)
FORCED = Forced(code="forced", message="lunch", by="boss", cooldown_s=60, user=USER)


class Times:
    """The process's own time, and the time that the store has been there."""

    def __init__(self) -> None:
        self.own_s = 1000.0
        self.served_s = 0.0

    def monotonic(self) -> float:
        return self.own_s

    def pass_s(self, seconds: float, *, store: bool = True) -> None:
        self.own_s += seconds
        self.served_s += seconds if store else 0


@pytest.fixture
def times(monkeypatch: pytest.MonkeyPatch) -> Times:
    made = Times()
    monkeypatch.setattr(module, "time", made)
    return made


@pytest.fixture
def memory(times: Times) -> Memory:
    return Memory(remember_s=300, linger_s=30, served_s=lambda customer: times.served_s)


def ends(memory: Memory, customer: str = CUSTOMER) -> list[Ended]:
    return list(memory.ends(lambda name: name == customer).get(customer, []))


def idle(memory: Memory) -> list[Held]:
    return list(memory.idle(lambda name: True).get(CUSTOMER, []))


def test_an_end_is_told_until_it_may_be_forgotten(memory: Memory, times: Times) -> None:
    memory.ended(CUSTOMER, END)
    assert (ends(memory), ends(memory, "other")) == ([END], [])
    times.pass_s(299)
    assert ends(memory) == [END]
    times.pass_s(2)
    assert ends(memory) == []


def test_a_long_cool_down_is_kept_to_its_end(memory: Memory, times: Times) -> None:
    memory.ended(CUSTOMER, msgspec.structs.replace(END, cooldown_ms=3_600_000))
    times.pass_s(3_599)
    assert [item.cooldown_ms for item in ends(memory)] == [1_000]
    times.pass_s(2)
    assert ends(memory) == []


def test_an_end_that_was_none_is_forgotten(memory: Memory) -> None:
    memory.ended(CUSTOMER, END)
    memory.not_ended(CUSTOMER, "s1")
    assert ends(memory) == []


def test_who_was_ordered_out_and_lives_elsewhere_is_still_ordered_out(memory: Memory) -> None:
    memory.ended(CUSTOMER, msgspec.structs.replace(END, forced=FORCED))
    memory.ended(CUSTOMER, END)
    assert [item.let_go for item in ends(memory)] == [True]
    memory.not_ended(CUSTOMER, "s1")
    assert [(item.forced, item.let_go) for item in ends(memory)] == [(FORCED, False)]


@pytest.mark.parametrize("device", [None, "d1"])
def test_an_order_is_remembered_with_what_it_said(memory: Memory, device: str | None) -> None:
    order = Order(
        number=1,
        type="logout",
        customer=CUSTOMER,
        session="s1",
        fence=2,
        code="forced",
        message="lunch",
        by="boss",
        cooldown_s=60,
        user=USER,
        device=device,
    )
    memory.ordered(order)
    (item,) = ends(memory)
    assert (item.session, item.fence, item.cooldown_ms, item.device) == ("s1", 2, 60_000, device)
    assert item.forced == msgspec.structs.replace(FORCED, device=device)


def test_who_has_lost_a_license_is_told_of_which_product(memory: Memory) -> None:
    said = {"code": "license_ended", "message": "on_expiry", "product": "CALL_CENTER", "user": USER}
    memory.ordered(Order(number=1, type="logout", customer=CUSTOMER, session="s1", fence=2, **said))
    (end,) = ends(memory)
    assert end.forced == Forced(by="", cooldown_s=0, **said)


def test_that_it_has_ended_says_more_than_that_it_was_ordered(memory: Memory) -> None:
    order = Order(number=1, type="logout", customer=CUSTOMER, session="s1", fence=2, user=USER)
    memory.ended(CUSTOMER, END)
    memory.ordered(order)
    assert ends(memory) == [END]


def test_that_it_was_ordered_out_is_not_forgotten_with_its_end(memory: Memory) -> None:
    memory.kicked(CUSTOMER, [kicked("s1", USER)], FORCED)
    memory.ended(CUSTOMER, END)
    ordered = Order(number=1, type="logout", customer=CUSTOMER, session="s1", fence=1, user=USER)
    memory.ordered(ordered)
    (item, _) = ends(memory)
    assert (item.forced, item.let_go, item.fence) == (FORCED, True, 2)
    assert item.cooldown_ms == 60_000


def kicked(session: str, user: str) -> KickedSession:
    return KickedSession(
        session=session, fence=1, user=user, device=Device(kind="desktop", id="d1"), node="", order=0
    )


def test_who_ordered_it_remembers_it_too(memory: Memory) -> None:
    """Though the users have no session here, and one of them none at all."""
    memory.kicked(CUSTOMER, [kicked("s1", USER), kicked("s2", USER)], FORCED)
    memory.kicked(CUSTOMER, [], msgspec.structs.replace(FORCED, user="bob@acme.example"))
    known = {(item.session, item.user, item.device): item.cooldown_ms for item in ends(memory)}
    bob = "bob@acme.example"
    assert known == {
        ("s1", USER, None): 60_000,
        ("s2", USER, None): 60_000,
        (None, USER, None): 60_000,
        (None, bob, None): 60_000,
    }


def test_a_session_forced_out_cools_its_device_alone(memory: Memory) -> None:
    memory.kicked(CUSTOMER, [kicked("s1", USER)], msgspec.structs.replace(FORCED, user="", device=""))
    assert [(item.session, item.device) for item in ends(memory)] == [("s1", "d1")]


def test_a_session_without_socket_is_told_for_its_linger(memory: Memory, times: Times) -> None:
    memory.parked(CUSTOMER, HELD)
    times.pass_s(10)
    assert [(item.session, item.left_ms) for item in idle(memory)] == [("s1", 20_000)]
    times.pass_s(20)
    assert idle(memory) == []


def test_its_linger_does_not_run_out_while_the_store_is_away(memory: Memory, times: Times) -> None:
    memory.parked(CUSTOMER, HELD)
    times.pass_s(3600, store=False)
    assert [item.left_ms for item in idle(memory)] == [30_000]


def test_one_that_is_back_or_has_ended_is_not_told_as_parked(memory: Memory) -> None:
    memory.parked(CUSTOMER, HELD)
    memory.back(CUSTOMER, "s1")
    assert idle(memory) == []
    memory.parked(CUSTOMER, HELD)
    memory.ended(CUSTOMER, END)
    assert idle(memory) == []
