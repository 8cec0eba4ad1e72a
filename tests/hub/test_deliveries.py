"""Deliveries to receivers: one after another for each, none held up by another, again after a failure, given up at last."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import pytest

from seatd.hub.deliveries import AT_ONCE, SLOTS_EACH, TRIES, WAITS_S, Deliveries
from seatd.metrics import Metrics
from seatd.store.audit_values import SYSTEM, Change, Deed
from seatd.store.redis import Store
from seatd.store.values import StoreUnavailable
from seatd.store.webhook_values import Webhook
from seatd.store.webhooks import webhook_change
from tests.conftest import Clock
from tests.servers import eventually

DAY_MS = 24 * 3600 * 1000


class Field:
    """A store with webhooks, and a node that sends; `fails` are the webhooks that get nothing."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self.clock = clock
        self.metrics = Metrics()
        self.sent: list[tuple[str, str]] = []
        self.fails: set[str] = set()
        self.stuck: dict[str, asyncio.Event] = {}
        self.most: Counter[str] = Counter()
        self.now: Counter[str] = Counter()
        self.tasks: set[asyncio.Task[None]] = set()
        self.node = self.made("n1")

    def made(self, name: str) -> Deliveries:
        return Deliveries(
            self.store, self.metrics, self.send, self.spawn, node=name, try_s=10.0,
            clock=lambda: self.clock() / 1000, chance=lambda: 1.0,
        )  # fmt: skip

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def send(self, hook: Webhook, id: str, body: bytes) -> str:
        self.now[hook.id] += 1
        self.most[hook.id] = max(self.most[hook.id], self.now[hook.id])
        if hook.id in self.stuck:
            await self.stuck[hook.id].wait()
        await asyncio.sleep(0)
        self.now[hook.id] -= 1
        self.sent.append((hook.id, id))
        return "no" if hook.id in self.fails else ""

    async def hook(self, id: str, customer: str = "acme", **more: Any) -> None:
        hook = Webhook(id=id, url="https://hooks.example/", types=("denial",), secret="s", **more)

        async def decide() -> list[Change]:
            return [webhook_change(id, await self.store.webhook(customer, id), hook)]

        await self.store.amend(customer, Deed(by=SYSTEM, action="test"), decide, creates=True)

    async def denied(self, number: int = 1, customer: str = "acme") -> None:
        """So many deliveries for each webhook, due now."""
        rows = [{"code": f"code{one}", "product": None, "times": 1} for one in range(number)]
        await self.store.note_denials(customer, rows)
        self.clock.pass_ms(5000)

    async def look(self) -> None:
        """One look, and all that follows from it but what is stuck."""
        await self.node.look()
        while any(task for task in self.tasks) and not (self.stuck and sum(self.now.values())):
            await asyncio.sleep(0.001)

    def results(self) -> dict[str, float]:
        names = ("delivered", "again", "dead")
        counted = self.metrics.webhook_deliveries_total
        return {name: counted.labels(name)._value.get() for name in names}


@pytest.fixture
async def field(store: Store, clock: Clock) -> AsyncIterator[Field]:
    made = Field(store, clock)
    yield made
    for event in made.stuck.values():
        event.set()
    while made.tasks:  # one begins the next
        await asyncio.gather(*made.tasks)


async def test_everything_is_sent_once_a_few_at_a_time(field: Field) -> None:
    await field.hook("h1")
    await field.denied(30)
    await field.look()
    assert len(set(field.sent)) == len(field.sent) == 30
    assert field.most["h1"] == AT_ONCE
    assert field.results() == {"delivered": 30, "again": 0, "dead": 0}
    await field.look()
    assert len(field.sent) == 30


async def test_two_nodes_send_nothing_twice(field: Field) -> None:
    await field.hook("h1")
    await field.denied(40)
    other = field.made("n2")
    await asyncio.gather(field.node.look(), other.look())
    while field.tasks:
        await asyncio.sleep(0.001)
    assert len(set(field.sent)) == len(field.sent) == 40


async def test_a_stuck_receiver_holds_nobody_up(field: Field) -> None:
    await field.hook("stuck")
    await field.hook("quick")
    field.stuck["stuck"] = asyncio.Event()
    await field.denied(20)
    await field.node.look()
    while sum(id == "quick" for id, _ in field.sent) < 20:
        await asyncio.sleep(0.001)
    await field.node.look()
    assert field.now["stuck"] == AT_ONCE


async def test_lines_that_have_always_more_due_take_turns_with_the_others(
    field: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seatd.hub.deliveries.RECEIVERS", 2)
    for id in ("a", "b", "c"):
        await field.hook(id)
    await field.denied(40)
    await field.look()
    assert len(set(field.sent)) == 120
    for portion in range(10):  # none is ahead of another by more than a few portions
        begun = Counter(id for id, _ in field.sent[: (portion + 1) * 3 * AT_ONCE])
        assert max(begun.values()) - min(begun[id] for id in "abc") <= 2 * AT_ONCE


async def test_a_customer_has_a_few_of_the_slots(field: Field) -> None:
    for number in range(5):
        await field.hook(f"stuck{number}")
        field.stuck[f"stuck{number}"] = asyncio.Event()
    await field.denied()
    await field.node.look()
    while sum(field.now.values()) < SLOTS_EACH:
        await asyncio.sleep(0.001)
    await field.node.look()
    await asyncio.sleep(0.01)
    assert sum(field.now.values()) == SLOTS_EACH
    for event in field.stuck.values():
        event.set()
    while len(field.sent) < 5:  # the next begin as soon as a slot is free
        await asyncio.sleep(0.001)


async def test_a_failure_is_tried_again_until_it_is_given_up(field: Field) -> None:
    await field.hook("h1")
    field.fails.add("h1")
    await field.denied()
    waits = []
    for _ in range(TRIES):
        began_ms = field.clock()
        while len(field.sent) == len(waits):
            await field.look()
            field.clock.pass_ms(5000)
        waits.append(field.clock() - began_ms)
        if len(waits) < TRIES:  # all but the last few seconds go by at once
            field.clock.pass_ms(round(WAITS_S[len(waits) - 1] * 1000) - 5000)
    assert len(set(field.sent)) == 1
    assert field.results() == {"delivered": 0, "again": TRIES - 1, "dead": 1}
    (letter,) = await field.store.letters("acme", "h1")
    assert (letter.delivery.error, letter.delivery.tries) == ("no", TRIES)
    assert DAY_MS / 2 < sum(WAITS_S) * 1000 / 2 < 2 * DAY_MS
    field.fails.clear()
    await field.store.take_letters("acme", [letter.id], again=True, deed=None)
    field.clock.pass_ms(60_000)
    await field.look()
    assert field.results()["delivered"] == 1


async def test_a_receiver_that_fails_is_left_alone_for_a_while(field: Field) -> None:
    await field.hook("h1")
    field.fails.add("h1")
    await field.denied(100)
    await field.look()
    await field.look()
    assert len(field.sent) == AT_ONCE
    field.clock.pass_ms(1100)
    await field.look()
    assert len(field.sent) == AT_ONCE + 1  # it is tried with one
    field.fails.clear()
    for _ in range(3):
        field.clock.pass_ms(15_000)
        await field.look()
    assert len(set(field.sent)) == 100


async def test_a_receiver_that_has_failed_for_days_is_tried_once_a_minute(field: Field) -> None:
    await field.hook("h1")
    field.fails.add("h1")
    await field.denied(100)
    await field.look()
    (rest,) = field.node._resting.values()
    rest.failures = 2000
    field.clock.pass_ms(2_000)
    await field.look()
    assert rest.failures == 2001
    assert rest.until_s == field.clock() / 1000 + 60


async def test_a_line_is_busy_until_its_last_try_has_ended(
    field: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when the store goes away under one of them: what is under way would be sent again, by this node or the next."""
    await field.hook("h1")
    await field.denied(AT_ONCE)
    settle, ends = field.store.settle_delivery, asyncio.Event()
    settled: list[str] = []

    async def settle_one(customer: str, delivery: Any, outcome: Any, **more: Any) -> None:
        settled.append(delivery.id)
        if len(settled) == 1:
            raise StoreUnavailable("away")
        await ends.wait()
        await settle(customer, delivery, outcome, **more)

    monkeypatch.setattr(field.store, "settle_delivery", settle_one)
    await field.node.look()
    await eventually(lambda: len(settled) == AT_ONCE)
    await asyncio.sleep(0.01)
    assert field.node._busy
    ends.set()
    await eventually(lambda: not field.node._busy)


async def test_lines_at_rest_hide_no_other(field: Field, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seatd.store.webhooks.LINES_AT_ONCE", 2)
    for number in range(6):
        await field.hook(f"dead{number}")
        field.fails.add(f"dead{number}")
    await field.denied(20)
    for _ in range(3):
        await field.look()
    assert {id for id, _ in field.sent} == field.fails
    await field.hook("quick")  # what is due to it is due later than anything else
    await field.denied()
    for _ in range(4):
        await field.look()
    assert "quick" in {id for id, _ in field.sent}


async def test_a_node_whose_clock_is_behind_is_late_with_nothing(
    field: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(field.store, "wall_ms", lambda: field.clock() - 3_600_000)
    await field.hook("h1")
    await field.denied()
    await field.look()
    assert len(field.sent) == 1


async def test_those_that_fail_have_half_of_the_slots(field: Field, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seatd.hub.deliveries.RECEIVERS", 2)
    for number in range(3):
        await field.hook(f"dead{number}")
        field.fails.add(f"dead{number}")
    await field.denied(20)
    for _ in range(3):
        await field.look()
    assert {id for id, _ in field.sent} == field.fails
    await field.hook("quick")
    await field.denied()  # meanwhile the others have rested
    for id in field.fails:
        field.stuck[id] = asyncio.Event()
    await field.node.look()
    while "quick" not in {id for id, _ in field.sent}:
        await asyncio.sleep(0.001)
    assert sum(field.now.values()) == 1


async def test_what_waits_for_one_that_was_switched_off_is_given_up(field: Field) -> None:
    await field.hook("h1")
    field.fails.add("h1")
    await field.denied(30)
    await field.look()
    tried = len(field.sent)
    await field.hook("h1", enabled=False)
    field.clock.pass_ms(15_000)
    await field.look()  # all of it: that nothing was sent is no failure of the receiver's
    assert len(field.sent) == tried
    letters = await field.store.letters("acme", "h1")
    assert len(letters) == 30
    assert "switched off" in letters[0].delivery.error


async def test_what_is_left_when_it_is_switched_on_again_is_sent(field: Field) -> None:
    await field.hook("h1")
    field.fails.add("h1")
    await field.denied()
    await field.look()
    field.fails.clear()
    await field.hook("h1", enabled=False)
    await field.look()  # the next try is not due yet
    await field.hook("h1")
    field.clock.pass_ms(15_000)
    await field.look()
    assert field.results() == {"delivered": 1, "again": 1, "dead": 0}


async def test_a_node_that_stops_waits_for_what_is_under_way_and_begins_nothing(field: Field) -> None:
    await field.hook("h1")
    field.stuck["h1"] = asyncio.Event()
    await field.denied(20)
    await field.node.look()
    while field.now["h1"] < AT_ONCE:
        await asyncio.sleep(0.001)
    stopping = asyncio.create_task(field.node.quiet(60.0))
    await asyncio.sleep(0.01)
    assert not stopping.done()
    field.stuck["h1"].set()
    await stopping
    await field.node.look()
    assert (len(field.sent), field.tasks) == (AT_ONCE, set())
    assert field.results()["delivered"] == AT_ONCE


async def test_a_node_that_stops_waits_so_long_at_the_most(field: Field) -> None:
    await field.hook("h1")
    field.stuck["h1"] = asyncio.Event()
    await field.denied()
    await field.node.look()
    await field.node.quiet(0.01)
    assert field.sent == []
