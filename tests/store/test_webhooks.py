"""Deliveries: made in the script that writes the event down, claimed for a while, sent again, given up, sent after all."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from seatd.store.audit_values import OTHER, SYSTEM, Change, Deed
from seatd.store.keys import customer_key
from seatd.store.redis import Store
from seatd.store.webhook_values import HOOK_TYPES, Claimed, Delivery, Webhook
from seatd.store.webhooks import webhook_change
from tests.conftest import Clock
from tests.licenses import Licensed
from tests.store.office import Office, person

DEED = Deed(by=SYSTEM, action="test")
HOOK = Webhook(id="h1", url="https://hooks.example/", types=HOOK_TYPES, secret="s" * 32)
GATHER_MS = 5000
LEASE_MS = 20_000


async def put(store: Store, *hooks: Webhook, customer: str = "acme") -> None:
    async def decide() -> list[Change]:
        return [webhook_change(hook.id, await store.webhook(customer, hook.id), hook) for hook in hooks]

    await store.amend(customer, DEED, decide, creates=True)


async def claim(store: Store, hook: str = "h1", by: str = "n1", limit: int = 100) -> tuple[Delivery, ...]:
    return (await whole_claim(store, hook, by, limit)).deliveries


async def whole_claim(store: Store, hook: str = "h1", by: str = "n1", limit: int = 100) -> Claimed:
    return await store.claim_deliveries("acme", hook, claim=by, lease_ms=LEASE_MS, limit=limit)


async def denied(store: Store, *users: str, code: str = "overloaded", **more: Any) -> None:
    rows = [{"code": code, "product": "CHAT", "domain": "acme.example", "times": 1, **more} for _ in users]
    await store.note_denials("acme", [{**row, "user": user} for row, user in zip(rows, users, strict=True)])


async def test_each_type_once(office: Office, store: Store, clock: Clock, licensed: Licensed) -> None:
    await put(store, HOOK)
    await licensed("CALL_CENTER", 1, id="cc", valid_till_ms=clock() + 60_000)
    await office.open("ann", "CALL_CENTER", session="ann")
    await office.refused("bob", "CALL_CENTER")
    await office.kick(user=person("ann"), cooldown_ms=1000)
    await store.review("acme", "cc")
    clock.pass_ms(GATHER_MS)
    found = {delivery.type: delivery for delivery in await claim(store)}
    assert set(found) == set(HOOK_TYPES)
    assert found["denial"].event["user"] == person("bob")
    assert found["denial"].event["code"] == "no_seat"
    assert found["forced_logout"].event["user"] == person("ann")
    assert found["limit_reached"].event["license"] == found["license_expiring"].event["license"] == "cc"
    seqs = {event.seq for event in await store.events("acme")}
    assert {delivery.seq for delivery in found.values()} <= seqs
    assert all(delivery.id == f"h1.{delivery.seq}" for delivery in found.values())


async def test_only_what_it_wants(store: Store, clock: Clock) -> None:
    others = (
        replace(HOOK, id="types", types=("limit_reached",)),
        replace(HOOK, id="off", enabled=False),
        replace(HOOK, id="product", product="CALL_CENTER"),
        replace(HOOK, id="license", license="cc"),
    )
    await put(store, *others, replace(HOOK, product="CHAT"))
    await denied(store, "ann@acme.example")
    clock.pass_ms(GATHER_MS)
    assert [len(await claim(store, hook.id)) for hook in (*others, HOOK)] == [0, 0, 0, 0, 1]


async def test_nothing_without_webhooks(store: Store) -> None:
    await denied(store, "ann@acme.example")
    assert await store.waiting_deliveries() == 0


async def test_a_storm_of_denials_is_one_delivery(store: Store, clock: Clock) -> None:
    await put(store, HOOK)
    for number in range(50):
        await denied(store, f"u{number}@acme.example")
    await denied(store, "ann@acme.example", code="queue_full")
    assert await claim(store) == ()
    clock.pass_ms(GATHER_MS)
    storm, other = await claim(store)
    assert (storm.event["times"], storm.event["code"], storm.event.get("user")) == (50, "overloaded", None)
    assert storm.event["domain"] == "acme.example"
    assert other.event["user"] == "ann@acme.example"
    await denied(store, "late@acme.example")
    clock.pass_ms(GATHER_MS)
    (late,) = await claim(store)
    assert late.id != storm.id
    assert late.event["user"] == "late@acme.example"


async def test_it_is_claimed_by_one_and_comes_back(store: Store, clock: Clock) -> None:
    await put(store, HOOK)
    await denied(store, "ann@acme.example")
    assert await store.due_webhooks(clock() + GATHER_MS) == [("acme", "h1")]
    assert await store.due_webhooks(clock() + GATHER_MS - 1) == []
    clock.pass_ms(GATHER_MS)
    (first,) = await claim(store)
    assert await claim(store, by="n2") == ()
    clock.pass_ms(LEASE_MS)
    (second,) = await claim(store, by="n2")
    assert (second.id, second.tries, second.event) == (first.id, 2, first.event)
    assert not await store.settle_delivery("acme", first, "again", wait_ms=1)
    assert not await store.settle_delivery("acme", first, "dead")
    assert await store.settle_delivery("acme", first, "delivered")
    assert not await store.settle_delivery("acme", second, "again", wait_ms=1)
    assert (await store.waiting_deliveries(), await store.due_webhooks(10**15)) == (0, [])


async def test_again_dead_and_again(store: Store, clock: Clock) -> None:
    await put(store, HOOK)
    await denied(store, "ann@acme.example")
    clock.pass_ms(GATHER_MS)
    (delivery,) = await claim(store)
    assert await store.settle_delivery("acme", delivery, "again", wait_ms=700, error="503")
    assert not await store.settle_delivery("acme", delivery, "again", wait_ms=700)
    assert await claim(store) == ()
    clock.pass_ms(700)
    (delivery,) = await claim(store)
    assert (delivery.tries, delivery.error) == (2, "503")
    assert await store.settle_delivery("acme", delivery, "dead", error="gone for good")
    (letter,) = await store.letters("acme", "h1")
    assert (letter.delivery.id, letter.delivery.error) == (delivery.id, "gone for good")
    assert await store.letters("acme", "other") == []
    assert await store.take_letters("acme", [letter.id, letter.id], again=True, deed=DEED) == 1
    (delivery,) = await claim(store)
    assert (delivery.id, delivery.tries) == (letter.delivery.id, 1)
    assert await store.letters("acme", "h1") == []


async def test_dead_letters_are_bounded_and_so_are_those_that_wait(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(store, HOOK)
    codes = [f"code{number}" for number in range(11_500)]
    for start in range(0, len(codes), 500):
        rows = [{"code": code, "product": None, "times": 1} for code in codes[start : start + 500]]
        await store.note_denials("acme", rows)
    assert await store.waiting_deliveries() == 10_000
    letters = await store.letters("acme", "h1")
    assert len(letters) == 1000
    assert letters[0].delivery.event["code"] == codes[-1]
    assert "too many" in letters[0].delivery.error


async def fill_line(store: Store, hook: str) -> None:
    name = customer_key("delivery_times", store.partition("acme"), "acme")
    await store.client.zadd(name, {f"{hook}\0{number:016d}\0x{number}": 0 for number in range(10_000)})


async def test_a_storm_at_a_full_line_is_one_dead_letter_a_minute(store: Store, clock: Clock) -> None:
    await put(store, HOOK)
    await fill_line(store, "h1")
    clock.now_ms -= clock.now_ms % 60_000
    for number in range(20):
        await denied(store, f"u{number}@acme.example")
    await denied(store, "ann@acme.example", code="queue_full")
    other, storm = await store.letters("acme", "h1")
    assert (other.delivery.event["code"], other.delivery.event["user"]) == ("queue_full", "ann@acme.example")
    assert (storm.delivery.event["times"], storm.delivery.event.get("user")) == (20, None)
    assert "too many" in storm.delivery.error
    clock.pass_ms(60_000)
    await denied(store, "late@acme.example")
    times = [letter.delivery.event.get("times", 1) for letter in await store.letters("acme", "h1")]
    assert times == [1, 1, 20]
    assert await store.take_letters("acme", [storm.id], again=True, deed=None) == 1


async def test_one_that_was_taken_is_added_to_no_more(store: Store, clock: Clock) -> None:
    await put(store, HOOK)
    await fill_line(store, "h1")
    await denied(store, "ann@acme.example")
    (letter,) = await store.letters("acme", "h1")
    await store.take_letters("acme", [letter.id], again=False, deed=None)
    await denied(store, "bob@acme.example")
    (letter,) = await store.letters("acme", "h1")
    assert (letter.delivery.event.get("times", 1), letter.delivery.event["user"]) == (1, "bob@acme.example")


async def test_a_webhooks_dead_letters_push_out_no_others(store: Store, clock: Clock) -> None:
    await put(store, replace(HOOK, id="quiet", product="CHAT"), replace(HOOK, product="LOUD"))
    for hook in ("quiet", "h1"):
        await fill_line(store, hook)
    await denied(store, "ann@acme.example")
    await loud(store, 1500)
    assert [letter.delivery.event["user"] for letter in await store.letters("acme", "quiet")] == [
        "ann@acme.example"
    ]
    codes = [letter.delivery.event["code"] for letter in await store.letters("acme", "h1")]
    assert codes == [f"code{number}" for number in reversed(range(500, 1500))]


async def test_dead_letters_of_a_webhook_that_is_gone_go_with_the_next_ones_first(store: Store) -> None:
    await put(store, replace(HOOK, product="LOUD"))
    await fill_line(store, "h1")
    await loud(store, 30)

    async def decide() -> list[Change]:
        return [webhook_change("h1", HOOK, None), webhook_change("h2", None, replace(HOOK, id="h2"))]

    await store.amend("acme", DEED, decide)
    await fill_line(store, "h2")
    await loud(store, 1)
    assert len(await store.letters("acme", "h2")) == 1
    assert await store.letters("acme", "h1") == []
    bodies = customer_key("delivery_bodies", store.partition("acme"), "acme")
    assert [field for field in await store.client.hkeys(bodies) if b"\0h1" in field] == []


async def loud(store: Store, number: int) -> None:
    for start in range(0, number, 500):
        rows = [
            {"code": f"code{one}", "product": "LOUD", "times": 1}
            for one in range(start, min(start + 500, number))
        ]
        await store.note_denials("acme", rows)


async def test_a_webhook_that_is_gone_takes_its_line_with_it(store: Store, clock: Clock) -> None:
    await put(store, HOOK, replace(HOOK, id="h2"))
    await denied(store, "ann@acme.example")

    async def decide() -> list[Change]:
        return [webhook_change("h1", HOOK, None)]

    await store.amend("acme", DEED, decide, creates=True)
    assert (await whole_claim(store)).webhook is None
    assert await store.waiting_deliveries() == 1
    assert await store.due_webhooks(10**15) == [("acme", "h2")]


async def test_the_trail_shows_no_secret(store: Store) -> None:
    await put(store, HOOK)
    page = await store.audit_page("acme")
    (entry,) = [recorded.entry() for recorded in page.items]
    assert entry.changes[0].after["secret"] == OTHER
    assert HOOK.secret.encode() not in page.items[0].text
    assert await store.webhook("acme", "h1") == HOOK
